#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "hostile/raw.hpp"

/// What services do that mean harm.
namespace hostile {

/// {n: 42}, as it should be.
const std::string& good_body();
/// The client's next request or subscription; null when it has left.
std::optional<frame> next_request(line& talk);

/// What it does once it has said hello and heard the client's. `first` is the client's first
/// request.
using behaviour = std::function<void(line& talk, const frame& first)>;
/// By the names under which the tests ask for them.
const std::map<std::string, behaviour>& behaviours();

}  // namespace hostile
