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
void push_at(typename Timer::time_point when, held<queue> where, std::unique_ptr<work> given) {
  manager::get().post(
      [when, where = std::move(where), one = static_cast<item*>(given.release())]() mutable {
        auto timer = std::make_shared<Timer>(manager::get().context(), when);
        timer->async_wait(
            [timer, where = std::move(where), one](const asio::error_code&) { where->push(*one); });
      });
}

/// `when` is not DISPATCH_TIME_FOREVER.
void after(dispatch_time_t when, queue& where, std::unique_ptr<work> one) {
  if (when == DISPATCH_TIME_NOW) return where.push(*one.release());
  const moment at = moment_of(when);
  if (at.on == moment::clock::time_of_day)
    push_at<asio::system_timer>(asio::system_timer::time_point(at.since), held<queue>(&where),
                                std::move(one));
  else
    push_at<asio::steady_timer>(asio::steady_timer::time_point(at.since), held<queue>(&where),
                                std::move(one));
}

}  // namespace
}  // namespace openxpc::dispatch

using namespace openxpc::dispatch;

void dispatch_after_f(dispatch_time_t when, dispatch_queue_t where, void* context,
                      dispatch_function_t function) {
  queue& at = as<queue>(where, __func__);
  if (when != DISPATCH_TIME_FOREVER) after(when, at, std::make_unique<work>(context, function));
}

void dispatch_after(dispatch_time_t when, dispatch_queue_t where, dispatch_block_t block) {
  queue& at = as<queue>(where, __func__);
  if (when == DISPATCH_TIME_FOREVER) return;
  after(when, at,
        std::make_unique<work>(block_abi::copy(block), block_abi::call_and_release,
                               work_block::wants_barrier(block)));
}
