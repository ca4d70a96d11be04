#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

extern "C" void* _NSConcreteStackBlock[];  // of the block runtime

namespace semantics {

/// A block made by hand out of a function object, as languages without blocks make them (rule 326).
/// What the function object holds goes with the last copy of the block, so a test sees when the
/// library lets go of it.
template <class Signature>
class made_block;

template <class R, class... A>
class made_block<R(A...)> {
 public:
  template <class F>
  explicit made_block(F run) {
    using held = std::shared_ptr<F>;
    static_assert(sizeof(held) <= sizeof(literal::captured));
    static const descriptor of_f{
        0, sizeof(literal),
        [](void* to, const void* from) {
          new (static_cast<literal*>(to)->captured.data()) held(
              *reinterpret_cast<const held*>(static_cast<const literal*>(from)->captured.data()));
        },
        [](const void* gone) {
          reinterpret_cast<const held*>(static_cast<const literal*>(gone)->captured.data())
              ->~held();
        }};
    static_assert(std::is_trivially_copyable_v<literal>);
    block_.isa = _NSConcreteStackBlock;
    block_.flags = 1 << 25;  // has copy and dispose
    block_.about = &of_f;
    block_.invoke = [](literal* self, A... arguments) -> R {
      return (**reinterpret_cast<held*>(self->captured.data()))(arguments...);
    };
    new (block_.captured.data()) held(std::make_shared<F>(std::move(run)));
    drop_ = of_f.dispose;
  }
  made_block(const made_block&) = delete;
  ~made_block() { drop_(&block_); }

  /// To be passed where the headers want a block; valid as long as this object.
  void* get() noexcept { return &block_; }

 private:
  struct descriptor {
    unsigned long reserved, size;
    void (*copy)(void* to, const void* from);
    void (*dispose)(const void* gone);
  };
  struct literal {
    void* isa;
    int flags, reserved;
    R (*invoke)(literal* self, A... arguments);
    const descriptor* about;
    alignas(void*) std::array<std::byte, 2 * sizeof(void*)> captured;
  };
  literal block_{};
  void (*drop_)(const void*);
};

}  // namespace semantics
