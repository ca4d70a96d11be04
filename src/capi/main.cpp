#include "base/misuse.hpp"
#include "bootstrap/inherited.hpp"
#include "bootstrap/service_link.hpp"
#include "bootstrap/termination.hpp"
#include "capi/dispatch_table.hpp"
#include "capi/event_handler.hpp"
#include "connection/listener.hpp"
#include "connection/transactions.hpp"

#include <xpc/xpc.h>

#include <sysexits.h>

#include <cstdio>
#include <cstdlib>

using namespace openxpc;
using namespace openxpc::capi;

void xpc_main(xpc_connection_handler_t handler) {
  auto names = bootstrap::inherited_names();
  if (names.size() != 1) {
    std::fprintf(stderr,
                 "xpc_main: this process was started with %zu service names and needs exactly one; "
                 "launch it from a job description"
                 " (xpcctl bootstrap FILE) with one name in MachServices\n",
                 names.size());
    std::exit(EX_CONFIG);
  }
  connection::listener::options how;
  how.full = channel::when_full::cut_off;
  auto made = connection::listener::make(std::move(how));
  made->add_socket(bootstrap::inherited_listener(names.front()));
  made->set_handlers(listener_handlers_of([handler](xpc_object_t event) {
    if (xpc_get_type(event) == XPC_TYPE_CONNECTION) handler(static_cast<xpc_connection_t>(event));
  }));
  auto* dispatch = dispatch_table_if_any();
  // Said before anybody can ask: the main loop below ends the process.
  if (!dispatch) bootstrap::on_termination([] {});
  bootstrap::expect_named_listener();
  made->activate();
  bootstrap::add_named_listener(made);
  if (dispatch) dispatch->main();
  bootstrap::wait_for_termination();
  // Without a main loop of the program's own, ending in order is what is left to do.
  std::atomic<std::uint32_t> stopped{0};
  made->stop([&stopped] {
    connection::when_no_transactions([&stopped] {
      stopped.store(1, std::memory_order_release);
      stopped.notify_all();
    });
  });
  stopped.wait(0);
  std::exit(EXIT_SUCCESS);
}
