#pragma once

/// The whole C++ API but property lists (plist.hpp) and other loops (interop/*.hpp).

#include <xpc/connection.hpp>
#include <xpc/function.hpp>
#include <xpc/listener.hpp>
#include <xpc/object.hpp>
#include <xpc/requirement.hpp>
#include <xpc/result.hpp>
#include <xpc/session.hpp>
#include <xpc/stream.hpp>
#include <xpc/task.hpp>
