#include "connection/handle.hpp"

#include "base/misuse.hpp"
#include "connection/door.hpp"
#include "connection/listener.hpp"
#include "engine/fork.hpp"
#include "object/describe.hpp"

namespace openxpc::connection {

handle::~handle() {
  if (auto last = finalizer_.load(std::memory_order_acquire)) last(context());
}

void handle::describe(openxpc::object::describer& out) const {
  out.text(listens() ? " { listener" : " { peer");
  if (!name_.empty()) out.text(", name = ").text(name_);
  out.text(" }");
}

base::ref<peer_object> peer_object::make(openxpc_type_t what, std::string name,
                                         base::ref<conversation> behind) {
  auto made =
      base::ref<peer_object>::adopt(new peer_object(what, std::move(name), std::move(behind)));
  made->behind_->set_object(made.get());
  return made;
}

// Rule 55 in the reading of rule 342: what was never activated may not be dropped (its messages
// would vanish without a word), what is suspended or running may.
void peer_object::destroy() noexcept {
  if (!behind_->active() && !behind_->ended())
    base::misuse("xpc_release",
                 "release of the last reference to an inactive %s: activate or cancel it first",
                 what() == OPENXPC_TYPE_SESSION ? "session" : "connection");
  if (cancel_first_ && !behind_->over())
    base::misuse("xpc_release",
                 "release of the last reference to a session that was not cancelled: cancel it "
                 "first");
  behind_->abandon();
  delete this;
}

listener_object::listener_object(openxpc_type_t what, std::string name, base::ref<listener> behind)
    : handle(what, std::move(name)), behind_(std::move(behind)) {}

base::ref<listener_object> listener_object::make(openxpc_type_t what, std::string name,
                                                 base::ref<listener> behind) {
  auto made = base::ref<listener_object>::adopt(
      new listener_object(what, std::move(name), std::move(behind)));
  made->behind_->set_object(made.get());
  return made;
}

void listener_object::destroy() noexcept {
  if (!engine::forked() && !behind_->active() && !behind_->over())
    base::misuse("xpc_release",
                 "release of the last reference to an inactive listener: activate or cancel it "
                 "first");
  behind_->abandon();
  delete this;
}

}  // namespace openxpc::connection
