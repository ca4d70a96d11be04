#include "capi/executors.hpp"

#include "capi/dispatch_table.hpp"

namespace openxpc::capi {
namespace {

using work = base::function<void()>;

void run_and_free(void* context) {
  auto* what = static_cast<work*>(context);
  (*what)();
  delete what;
}

class queue_executor final : public connection::executor {
 public:
  queue_executor(const openxpc_dispatch_table_s& table, dispatch_queue_t queue)
      : table_(table), queue_(queue) {
    table_.retain(queue_);
  }
  dispatch_queue_t queue() const noexcept { return queue_; }
  void post(work what) override { table_.async_f(queue_, new work(std::move(what)), run_and_free); }

 private:
  ~queue_executor() override { table_.release(queue_); }
  const openxpc_dispatch_table_s& table_;
  dispatch_queue_t queue_;
};

class program_executor final : public connection::executor {
 public:
  explicit program_executor(const openxpc_executor_s& given) : given_(given) {}
  void post(work what) override {
    given_.post(given_.context, new work(std::move(what)), run_and_free);
  }

 private:
  ~program_executor() override {
    if (given_.release) given_.release(given_.context);
  }
  openxpc_executor_s given_;
};

}  // namespace

base::ref<connection::executor> executor_of(dispatch_queue_t queue, const char* function) {
  if (!queue) return nullptr;
  return base::make_ref<queue_executor>(dispatch_table(function), queue);
}

void* queue_of(const base::ref<connection::executor>& where) noexcept {
  auto* queue = dynamic_cast<queue_executor*>(where.get());
  return queue ? queue->queue() : nullptr;
}

base::ref<connection::executor> executor_of(const openxpc_executor_s* given) {
  if (!given || !given->post) return nullptr;
  return base::make_ref<program_executor>(*given);
}

}  // namespace openxpc::capi
