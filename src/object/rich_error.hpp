#pragma once

#include "object/dictionary.hpp"

#include <xpc/openxpc/error.h>

#include <optional>
#include <string>
#include <string_view>

namespace openxpc::object {

/// What an error is made of.
struct error_parts {
  openxpc_error_code_t code = OPENXPC_ERROR_NONE;
  openxpc_error_flags_t flags = 0;
  std::string_view domain;
  std::int64_t number = 0;
  std::string_view message;
  std::string_view remedy;
  class rich_error* cause = nullptr;  // lent
  int exit_status = 0;
};

/// A failure with its reason and remedy. Immutable.
class rich_error final : public object {
 public:
  static constexpr kind its_kind = OPENXPC_TYPE_RICH_ERROR;
  static constexpr std::size_t longest_text = 16384;
  static constexpr unsigned most_causes = 16;

  /// Texts are copied, cut and made UTF-8; a chain of causes is cut; flags are completed by what
  /// the code means.
  static ref<rich_error> create(const error_parts& parts);
  /// A failure of this library: code and message, and what to do next.
  static ref<rich_error> create(openxpc_error_code_t code, std::string_view message,
                                std::string_view remedy = {});
  /// Out of what a peer sent: nothing in it is trusted. Never null.
  static ref<rich_error> from(const dictionary& received);
  /// Keys code, flags, domain, number, message, remedy, cause, status.
  ref<dictionary> to_dictionary() const;

  openxpc_error_code_t code() const noexcept { return code_; }
  openxpc_error_flags_t flags() const noexcept { return flags_; }
  const std::string& domain() const noexcept { return domain_; }
  std::int64_t number() const noexcept { return number_; }
  const std::string& message() const noexcept { return message_; }
  const std::string& remedy() const noexcept { return remedy_; }
  rich_error* cause() const noexcept { return cause_.get(); }
  int exit_status() const noexcept { return exit_status_; }
  void describe(describer& out) const override;

 private:
  explicit rich_error(const error_parts& parts);
  static ref<rich_error> from(const dictionary& received, unsigned causes_left);
  void destroy() noexcept override { delete this; }

  openxpc_error_code_t code_;
  openxpc_error_flags_t flags_;
  unsigned causes_ = 0;  // length of the chain behind this one
  int exit_status_;
  std::int64_t number_;
  std::string domain_, message_, remedy_;
  ref<rich_error> cause_;
};

/// "timed_out"; "unknown" for a number that is none. Static.
const char* name_of(openxpc_error_code_t code) noexcept;
/// Every code below this one means something.
inline constexpr int error_codes_end = OPENXPC_ERROR_END_OF_STREAM + 1;

}  // namespace openxpc::object
