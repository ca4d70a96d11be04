#pragma once

#include <xpc/xpc.hpp>

/// A listener and a session with it.
struct pair {
  explicit pair(xpc::listener_options service, xpc::session_options client = {})
      : listener(xpc::listener::anonymous(std::move(service)).value()),
        session(xpc::session::open(listener.make_endpoint(), std::move(client)).value()) {}
  xpc::listener listener;
  xpc::session session;
};

inline xpc::dictionary echo(const xpc::dictionary& message) { return message; }

inline xpc::result<xpc::dictionary> divide(const xpc::dictionary& q) {
  auto [a, b] = q.get<double, double>("a", "b").value();
  if (b == 0) return xpc::failure("org.example.calculator", 1, "division by zero");
  return {{"quotient", a / b}};
}
