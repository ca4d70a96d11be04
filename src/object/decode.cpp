#include "object/codec.hpp"

namespace openxpc::object {

ref<dictionary> decode(base::bytes message, std::vector<base::fd>&& files, wire::mode spoken,
                       std::optional<wire::malformed>& fault, const wire::limits& max) {
  auto from = source::copy_of(message, std::move(files), spoken, fault, max);
  if (!from) return nullptr;
  auto root = from->root();
  return dictionary::over(std::move(from), root);
}

ref<dictionary> decode(ref<base::block> message, std::vector<base::fd>&& files, wire::mode spoken,
                       std::optional<wire::malformed>& fault, const wire::limits& max) {
  auto from = source::over(std::move(message), std::move(files), spoken, fault, max);
  if (!from) return nullptr;
  auto root = from->root();
  return dictionary::over(std::move(from), root);
}

}  // namespace openxpc::object
