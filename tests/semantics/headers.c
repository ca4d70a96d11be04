// Rules 317 to 320 and 322: a program that includes <xpc/xpc.h> and nothing else. It only has to
// compile, as C11 and C17.
#include <xpc/xpc.h>

// R317: what Apple's header brings.
static void what_programs_call_without_including_it(void) {
  char text[16];
  va_list none;
  (void)none;
  snprintf(text, sizeof text, "%d", (int)getpid());
  if (strcmp(text, "0") == 0) exit(EXIT_FAILURE);
  printf("%s\n", text);
  int fd = open("/dev/null", O_RDONLY);
  void* page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
  if (page != MAP_FAILED) munmap(page, 4096);
  close(fd);
  free(malloc(1));
  uuid_t uuid = {0};
  audit_token_t token = {{0}};
  mach_port_t port = 0;
  bool yes = uuid[0] == token.val[0];
  int64_t number = yes ? (int64_t)port : INT64_MAX;
  (void)number;
}

// R318: no <sys/socket.h>, so that a program may have functions of these names.
static int listen(const char* name) { return name != NULL; }
static void bind(void) {}
static int connect(xpc_connection_t to) { return to != NULL; }

// R320: in C the handles convert into each other; each compares with an error.
static xpc_object_t conversions(xpc_object_t object) {
  xpc_connection_t connection = object;
  xpc_endpoint_t endpoint = object;
  xpc_object_t back = connection;
  if (object == XPC_ERROR_CONNECTION_INVALID || connection == XPC_ERROR_CONNECTION_INTERRUPTED)
    return endpoint;
  return xpc_retain(back);
}

// R322: flags are constants for the compiler.
enum {
  listener = XPC_CONNECTION_MACH_SERVICE_LISTENER,
  privileged = XPC_CONNECTION_MACH_SERVICE_PRIVILEGED,
  inactive = XPC_SESSION_CREATE_INACTIVE
};
_Static_assert((listener & privileged) == 0 && inactive == 1, "bits of their own");

int main(void) {
  what_programs_call_without_including_it();
  bind();
  return listen("x") + connect(conversions(XPC_BOOL_TRUE));
}

// R319: each header by itself after xpc.h.
#include <xpc/connection.h>
#include <xpc/debug.h>
#include <xpc/endpoint.h>
#include <xpc/listener.h>
#include <xpc/rich_error.h>
#include <xpc/session.h>
