#include "support/patience.hpp"

#include "ported/ported.hpp"

namespace {

using ported::Ported;
using xpc_testing::run_result;

TEST_F(Ported, R351_SourcesOfADaemonFire) {
  declare("sources_daemon", "com.example.sources");
  const run_result result = client("sources_client");
  EXPECT_RUN(result, "data\nread\ntimer\nproc\nsignal\nended\n");
  xpc_testing::wait_until("the daemon's own exit status", [&] {
    return system_test::number_at(xpcd_.print("sources_daemon"), "last-exit/status") == 42;
  });
}

}  // namespace
