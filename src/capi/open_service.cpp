#include "bootstrap/domain.hpp"
#include "bootstrap/service_link.hpp"
#include "bootstrap/termination.hpp"
#include "capi/program_handlers.hpp"
#include "channel/frame.hpp"
#include "channel/hello.hpp"

#include <xpc/openxpc/service.h>

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

using namespace openxpc;
using namespace openxpc::capi;

void openxpc_wait_for_termination(void) { bootstrap::wait_for_termination(); }

void openxpc_on_termination(void* context, void (*asked)(void*)) {
  bootstrap::on_termination([context, asked] { asked(context); });
}

bool openxpc_termination_requested(void) { return bootstrap::termination_requested(); }

void openxpc_request_termination(void) { bootstrap::request_termination(); }

void openxpc_check_in(void) { bootstrap::check_in(); }

int openxpc_refuse(int borrowed_connected_fd, std::uint32_t code, std::uint32_t flags,
                   const char* text) {
  constexpr std::size_t text_most_bytes = 4096;
  channel::refusal what;
  what.code = connection::refusal_code_of(static_cast<openxpc_error_code_t>(code));
  what.may_retry = flags & OPENXPC_REFUSAL_MAY_RETRY;
  what.moved = flags & OPENXPC_REFUSAL_MOVED;
  what.text.assign(text ? text : "", text ? ::strnlen(text, text_most_bytes) : 0);
  base::buffer body;
  channel::write_refusal(body, what);
  base::buffer packet;
  packet.resize(channel::frame_head_most_bytes);
  packet.resize(
      channel::write_head(packet.data(), channel::kind::refusal, 0, 0, 0, {}, body.size()));
  packet.append(body.view());
  packet.pad(channel::frame_alignment);
  ssize_t sent =
      ::send(borrowed_connected_fd, packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? errno : 0;
}

char* openxpc_domain_copy_directory(std::uint32_t domain, xpc_rich_error_t* error) {
  bootstrap::domain_choice choice;
  using kind = bootstrap::domain_choice::kind;
  choice.which = domain == OPENXPC_DOMAIN_USER     ? kind::user
                 : domain == OPENXPC_DOMAIN_SYSTEM ? kind::system
                                                   : kind::automatic;
  connection::error_ref why;
  auto found = bootstrap::domain_directories(choice, why);
  if (!found.empty()) return ::strdup(found.front().c_str());
  if (error) *error = give(std::move(why));
  return nullptr;
}
