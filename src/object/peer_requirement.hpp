#pragma once

#include "object/object.hpp"

#include <string>
#include <string_view>

namespace openxpc::object {

/// What must be true of a peer: what an xpc_peer_requirement_t points to. Immutable.
class peer_requirement final : public object {
 public:
  static constexpr kind its_kind = OPENXPC_TYPE_PEER_REQUIREMENT;

  // Each is null with `why` set when the arguments make no requirement.
  static ref<peer_requirement> entitlement(std::string_view name, std::string& why);
  static ref<peer_requirement> entitlement(std::string_view name, object& value, std::string& why);
  enum class signer : std::uint8_t { same_team, platform };
  /// @param identifier  null: any.
  static ref<peer_requirement> signed_by(signer who, const char* identifier, std::string& why);
  static ref<peer_requirement> lightweight(object& dictionary, std::string& why);
  /// Text of the requirement language, which is not understood further than that its quotes and
  /// parentheses match.
  static ref<peer_requirement> language(std::string_view text, std::string& why);

  /// For people.
  const std::string& text() const noexcept { return text_; }
  void describe(describer& out) const override;

 private:
  explicit peer_requirement(std::string text) : object(its_kind), text_(std::move(text)) {}
  void destroy() noexcept override { delete this; }
  const std::string text_;
};

}  // namespace openxpc::object
