#include "capi/connection.hpp"

#include <xpc/xpc.h>

using namespace openxpc;
using namespace openxpc::capi;
using connection::message_context;

xpc_object_t xpc_dictionary_create_reply(xpc_object_t original) {
  auto& received = need_as<object::dictionary>(original, __func__);
  auto* context = static_cast<message_context*>(received.context());
  if (!context || context->what() != message_context::kind::received) return nullptr;
  auto right = context->take_right();
  if (!right) return nullptr;
  auto reply = object::dictionary::create();
  reply->set_context(base::make_ref<message_context>(message_context::kind::reply,
                                                     context->remote(), std::move(right),
                                                     context->take_transaction()));
  return capi::give(std::move(reply));
}

xpc_connection_t xpc_dictionary_get_remote_connection(xpc_object_t dictionary) {
  auto& message = need_as<object::dictionary>(dictionary, __func__);
  auto* context = static_cast<message_context*>(message.context());
  if (!context || !context->remote() || context->remote()->what() != OPENXPC_TYPE_CONNECTION)
    return nullptr;
  return static_cast<xpc_connection_t>(static_cast<void*>(context->remote().get()));
}
