#include <asio/steady_timer.hpp>
#include <asio/system_timer.hpp>

#include <memory>

#include "dispatch/block_abi.hpp"
#include "dispatch/manager.hpp"
#include "dispatch/moment.hpp"
#include "dispatch/queue.hpp"
#include "dispatch/work_block.hpp"

namespace openxpc::dispatch {
namespace {

template <class Timer>
void push_at(typename Timer::time_point when, held<queue> where, item& one) {
  manager::get().post([when, where = std::move(where), one = &one]() mutable {
    auto timer = std::make_shared<Timer>(manager::get().context(), when);
    timer->async_wait(
        [timer, where = std::move(where), one](const asio::error_code&) { where->push(*one); });
  });
}

void after(dispatch_time_t when, queue& where, item& one) {
  moment at = moment_of(when);
  switch (at.on) {
    case moment::clock::never:
      return;
    case moment::clock::uptime:
      if (when == DISPATCH_TIME_NOW) return where.push(one);
      return push_at<asio::steady_timer>(asio::steady_timer::time_point(at.since),
                                         held<queue>(&where), one);
    case moment::clock::time_of_day:
      return push_at<asio::system_timer>(asio::system_timer::time_point(at.since),
                                         held<queue>(&where), one);
  }
}

}  // namespace
}  // namespace openxpc::dispatch

using namespace openxpc::dispatch;

void dispatch_after_f(dispatch_time_t when, dispatch_queue_t where, void* context,
                      dispatch_function_t function) {
  queue& at = as<queue>(where, __func__);
  if (when != DISPATCH_TIME_FOREVER) after(when, at, *new work(context, function));
}

void dispatch_after(dispatch_time_t when, dispatch_queue_t where, dispatch_block_t block) {
  queue& at = as<queue>(where, __func__);
  if (when == DISPATCH_TIME_FOREVER) return;
  after(when, at,
        *new work(block_abi::copy(block), block_abi::call_and_release,
                  work_block::wants_barrier(block)));
}
