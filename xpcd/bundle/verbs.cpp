#include "bundle/verbs.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "bundle/applications.hpp"

namespace openxpc::bundle {

namespace {

constexpr std::array<std::string_view, 5> for_applications{"list", "print", "kickstart", "kill",
                                                           "bootout"};

/// The reply with the label as it was given; what xpcd calls the job is nobody's business.
control::answer with_label(std::string label, control::answer answered) {
  return [label = std::move(label), answered = std::move(answered)](outcome<object_ref> result) {
    if (result) {
      xpc_object_t job = get_object(result->get(), "job");
      if (job != nullptr) set(job, "label", label);
      if (get_object(result->get(), "label") != nullptr) set(result->get(), "label", label);
    }
    answered(std::move(result));
  };
}

}  // namespace

void private_service(supervise::supervisor&, control::verb_call& call, control::answer answered) {
  wanted what;
  std::optional<std::string> name = get_text(call.message, "name");
  if (!name) {
    return answered(trouble{trouble::kind::bad_input, "private-service: name: expected string"});
  }
  what.name = std::move(*name);
  what.instance = get_text(call.message, "instance").value_or("");
  what.connection = get_text(call.message, "connection").value_or("");
  call.applications->look_up({call.pidfd(), call.pid, call.user}, std::move(what),
                             std::move(answered));
}

bool turn_to_application(const std::string& op, control::verb_call& call, object_ref* message,
                         control::answer* answered) {
  std::optional<std::int64_t> pid = get_integer(call.message, "application");
  if (!pid || *pid <= 0 || *pid > INT32_MAX) {
    (*answered)(trouble{trouble::kind::bad_input, op + ": application: expected process id"});
    return false;
  }
  const pid_t application = static_cast<pid_t>(*pid);
  if (std::find(for_applications.begin(), for_applications.end(), op) == for_applications.end()) {
    (*answered)(trouble{trouble::kind::bad_input,
                        op + ": there is no such verb for the services of a process"});
    return false;
  }
  if (op == "list") {
    (*answered)(call.applications->list(application));
    return false;
  }
  std::optional<std::string> name = get_text(call.message, "label");
  if (!name && op == "print") {
    (*answered)(call.applications->describe(application, call.is_owner));
    return false;
  }
  outcome<std::string> label = call.applications->label_of(application, name.value_or(""));
  if (!label && op == "bootout" && label.error().what == trouble::kind::not_found) {
    (*answered)(control::booted_out(name.value_or(""), false));
    return false;
  }
  if (!label) {
    (*answered)(label.error());
    return false;
  }
  *message = object_ref(::xpc_copy(call.message));
  set(message->get(), "label", *label);
  call.message = message->get();
  *answered = with_label(std::move(*name), std::move(*answered));
  return true;
}

}  // namespace openxpc::bundle
