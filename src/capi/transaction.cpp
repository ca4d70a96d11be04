#include "base/misuse.hpp"
#include "connection/transactions.hpp"

#include <xpc/xpc.h>

void xpc_transaction_begin(void) { openxpc::connection::begin_own_transaction(); }

void xpc_transaction_end(void) {
  if (!openxpc::connection::end_own_transaction())
    openxpc::base::misuse(__func__, "there is no transaction of the program's own to end");
}
