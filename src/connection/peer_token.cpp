#include "connection/peer_token.hpp"

#include "base/random.hpp"

#include <unistd.h>

#include <atomic>
#include <mutex>
#include <unordered_map>

namespace openxpc::connection {
namespace {

// Where Apple's tokens have the numbers that programs look at; the key stands in the audit user and
// in the version of the process.
enum word {
  key_low = 0,
  euid = 1,
  egid = 2,
  ruid = 3,
  rgid = 4,
  pid = 5,
  session = 6,
  key_high = 7
};

struct known {
  peer_token token;
  conversation::identity who;
};

struct registry {
  std::mutex mutex;
  std::unordered_map<const conversation*, known> all;
  std::unordered_map<std::uint64_t, const conversation*> by_key;
  std::atomic<bool> used{false};  // whether there ever was one
};
registry& tokens() {
  static auto* forever = new registry;  // conversations may outlive static destructors
  return *forever;
}

std::uint64_t key_in(const peer_token& token) noexcept {
  return token[key_low] | std::uint64_t{token[key_high]} << 32;
}

peer_token made_for(const conversation::identity& who) {
  std::array<std::uint32_t, 2> key{};
  base::fill_random(std::as_writable_bytes(std::span(key)));
  peer_token made{};
  made[key_low] = key[0];
  made[key_high] = key[1];
  made[euid] = made[ruid] = who.euid;
  made[egid] = made[rgid] = who.egid;
  made[pid] = static_cast<std::uint32_t>(who.pid);
  made[session] = static_cast<std::uint32_t>(::getsid(who.pid));
  return made;
}

}  // namespace

std::optional<peer_token> token_of(conversation& talk) {
  const auto who = talk.who();
  if (!who.known) return std::nullopt;
  auto& them = tokens();
  std::lock_guard lock(them.mutex);
  auto [at, fresh] = them.all.try_emplace(&talk);
  if (!fresh && at->second.who.instance == who.instance) return at->second.token;
  // The one before is of a process that is no longer there.
  if (!fresh) them.by_key.erase(key_in(at->second.token));
  at->second = {made_for(who), who};
  them.by_key[key_in(at->second.token)] = &talk;
  them.used.store(true, std::memory_order_release);
  return at->second.token;
}

std::optional<conversation::identity> identity_of(const peer_token& token) {
  auto& them = tokens();
  std::lock_guard lock(them.mutex);
  auto at = them.by_key.find(key_in(token));
  if (at == them.by_key.end()) return std::nullopt;
  const known& found = them.all.at(at->second);
  if (found.token != token) return std::nullopt;
  return found.who;
}

void forget_tokens_of(const conversation& gone) noexcept {
  auto& them = tokens();
  if (!them.used.load(std::memory_order_acquire)) return;
  std::lock_guard lock(them.mutex);
  auto at = them.all.find(&gone);
  if (at == them.all.end()) return;
  them.by_key.erase(key_in(at->second.token));
  them.all.erase(at);
}

}  // namespace openxpc::connection
