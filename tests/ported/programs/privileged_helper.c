/*
 * privileged_helper: opens files for programs that may not. It hands out an open descriptor and
 * never takes a path: what may be read is the helper's decision, and the file that was checked is
 * the file that is used.
 *
 * MachServices: com.example.logreader (an XPC service: the listener is xpc_main's)
 * Environment: LOG_DIRECTORY
 */
#include <errno.h>
#include <os/log.h>
#include <sys/stat.h>
#include <xpc/xpc.h>

static const char *const kLogs[] = { "install", "system" };

static int open_log(const char *name, int *error)
{
    const char *directory = getenv("LOG_DIRECTORY");
    for (size_t i = 0; i < sizeof(kLogs) / sizeof(kLogs[0]); i++) {
        if (name == NULL || strcmp(name, kLogs[i]) != 0) {
            continue;
        }
        char path[1024];
        snprintf(path, sizeof(path), "%s/%s.log", directory, kLogs[i]);
        int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;
        if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
            close(fd);
            *error = EINVAL;
            return -1;
        }
        *error = fd < 0 ? errno : 0;
        return fd;
    }
    *error = EPERM;
    return -1;
}

static void connection_handler(xpc_connection_t peer)
{
    xpc_connection_set_event_handler(peer, ^(xpc_object_t event) {
        if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) {
            return;
        }
        xpc_object_t reply = xpc_dictionary_create_reply(event);
        if (reply == NULL) {
            os_log_error(OS_LOG_DEFAULT, "a message without a reply context");
            return;
        }
        int error = 0;
        int fd = open_log(xpc_dictionary_get_string(event, "log"), &error);
        if (fd >= 0) {
            xpc_dictionary_set_fd(reply, "file", fd);
            close(fd);
        } else {
            os_log_error(OS_LOG_DEFAULT, "refused to uid %u: %{darwin.errno}d",
                xpc_connection_get_euid(peer), error);
            xpc_dictionary_set_int64(reply, "error", error);
        }
        xpc_connection_send_message(peer, reply);
        xpc_release(reply);
    });
    xpc_connection_resume(peer);
}

int main(int argc __unused, const char *argv[] __unused) { xpc_main(connection_handler); }
