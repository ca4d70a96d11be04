#pragma once

namespace openxpc::bootstrap {

/// A process that systemd started from a service unit tells it how it fares, by the protocol of
/// sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names. Without that variable, and in a
/// set-uid program, nothing here does anything. Threads: any.

/// READY=1, once: the process listens. From then on WATCHDOG=1 comes in time from an engine thread
/// where the unit asks for it, and STOPPING=1 when the process is asked to end.
void tell_unit_ready();

}  // namespace openxpc::bootstrap
