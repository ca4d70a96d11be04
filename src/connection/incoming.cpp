#include "connection/incoming.hpp"

#include "connection/conversation.hpp"
#include "object/rich_error.hpp"

namespace openxpc::connection {

reply_right::reply_right(base::ref<conversation> from, base::ref<channel::channel> over,
                         std::uint64_t id)
    : from_(std::move(from)), over_(std::move(over)), id_(id) {}

reply_right::~reply_right() {
  if (claim()) {
    auto why =
        make_error(OPENXPC_ERROR_NO_REPLY, "the service dropped the request without an answer");
    from_->send_answer(*over_, channel::kind::failure, id_, *why->to_dictionary());
  }
  from_->answered(*this);
}

bool reply_right::reply(object::dictionary& message) {
  if (!claim()) return false;
  from_->send_answer(*over_, channel::kind::reply, id_, message);
  return true;
}

bool reply_right::fail(const error_ref& why) {
  if (!claim()) return false;
  from_->send_answer(*over_, channel::kind::failure, id_, *why->to_dictionary());
  return true;
}

bool reply_right::hand_over() {
  bool mine = claim();
  from_->answered(*this);  // its writer is told from now on
  return mine;
}

void reply_right::report_progress(object::dictionary& what) {
  if (!answered_.load(std::memory_order_acquire))
    from_->send_answer(*over_, channel::kind::progress, id_, what);
}

void reply_right::on_cancel(base::function<void()> told) {
  if (told)
    to_tell_.store(true, std::memory_order_release);
  else if (!to_tell_.load(std::memory_order_acquire))
    return;
  std::lock_guard lock(told_mutex_);
  if (told && canceled()) return told();
  told_ = std::move(told);
}

void reply_right::cancel() {
  if (canceled_.exchange(true, std::memory_order_acq_rel)) return;
  std::lock_guard lock(told_mutex_);
  if (auto told = std::exchange(told_, nullptr)) told();
}

incoming::~incoming() { let_go(); }

void incoming::run() {
  from->deliver(*this);
  let_go();
}

void incoming::drop() {
  if (right)
    right->fail(make_error(OPENXPC_ERROR_CANCELED, "the service ended the conversation", {},
                           OPENXPC_ERROR_NOT_ACCEPTED));
  right = nullptr;
  let_go();
}

void incoming::let_go() {
  if (held_) over->let_go(std::exchange(held_, {}));
}

}  // namespace openxpc::connection
