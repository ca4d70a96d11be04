#pragma once

#include "connection/conversation.hpp"

// What is delivered to a conversation's handler beside messages.
namespace openxpc::connection {

class conversation::ended_delivery final : public delivery {
 public:
  ended_delivery(base::ref<conversation> of, error_ref why)
      : of_(std::move(of)), why_(std::move(why)) {}
  bool is_last() const noexcept override { return true; }
  void run() override {
    base::ref<handlers> told;
    {
      std::lock_guard lock(of_->mutex_);
      of_->ended_told_ = true;
      told = std::move(of_->handlers_);
    }
    if (told) told->ended(why_);
    told = nullptr;
    of_->settle();
  }

 private:
  base::ref<conversation> of_;
  error_ref why_;
};

class conversation::interrupted_delivery final : public delivery {
 public:
  interrupted_delivery(base::ref<conversation> of, error_ref why)
      : of_(std::move(of)), why_(std::move(why)) {}
  void run() override {
    if (auto told = of_->current_handlers()) told->interrupted(why_);
  }

 private:
  base::ref<conversation> of_;
  error_ref why_;
};

/// Runs behind everything that had arrived when the stop began.
class conversation::stopping_delivery final : public delivery {
 public:
  explicit stopping_delivery(base::ref<conversation> of) : of_(std::move(of)) {}
  void run() override {
    {
      std::lock_guard lock(of_->mutex_);
      of_->finishing_ = true;
    }
    of_->end_writers();
    of_->finish_if_answered();
  }

 private:
  base::ref<conversation> of_;
};

class conversation::terminating_delivery final : public delivery {
 public:
  explicit terminating_delivery(base::ref<conversation> of) : of_(std::move(of)) {}
  void run() override {
    if (auto told = of_->current_handlers()) told->terminating();
  }

 private:
  base::ref<conversation> of_;
};

}  // namespace openxpc::connection
