#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace openxpc::base {

template <class>
class function;

/// A move-only callable; the standard's comes with C++23 only.
template <class R, class... A>
class function<R(A...)> {
 public:
  function() noexcept = default;
  function(std::nullptr_t) noexcept {}
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, function> &&
             std::is_invocable_r_v<R, std::remove_cvref_t<F>&, A...>)
  function(F&& call)
      : held_(std::make_unique<holder<std::remove_cvref_t<F>>>(std::forward<F>(call))) {}

  explicit operator bool() const noexcept { return held_ != nullptr; }
  R operator()(A... arguments) const { return held_->call(std::forward<A>(arguments)...); }

 private:
  struct base_holder {
    virtual ~base_holder() = default;
    virtual R call(A... arguments) = 0;
  };
  template <class F>
  struct holder final : base_holder {
    template <class G>
    explicit holder(G&& call) : f(std::forward<G>(call)) {}
    R call(A... arguments) override { return static_cast<R>(f(std::forward<A>(arguments)...)); }
    F f;
  };
  std::unique_ptr<base_holder> held_;
};

}  // namespace openxpc::base
