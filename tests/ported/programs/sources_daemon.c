/*
 * sources_daemon: a daemon that lives by dispatch sources: SIGHUP reloads, SIGTERM ends, a timer
 * counts, a pipe is read when there is something in it, a worker process is watched, and what
 * threads report is added up.
 *
 * MachServices: com.example.sources
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <os/log.h>
#include <xpc/xpc.h>

static dispatch_queue_t state_queue;
static dispatch_source_t hangup_source, terminate_source, timer_source, pipe_source, worker_source,
    work_source;
static int64_t reloads, bytes_read, worker_status = -1;
static uint64_t ticks, work_done;
static int pipe_ends[2];

static dispatch_source_t install_signal_handler(int signum, dispatch_block_t handler)
{
    // Make sure the signal does not terminate the application.
    signal(signum, SIG_IGN);

    dispatch_source_t source
        = dispatch_source_create(DISPATCH_SOURCE_TYPE_SIGNAL, (uintptr_t)signum, 0, state_queue);
    dispatch_source_set_event_handler(source, handler);
    dispatch_resume(source);
    return source;
}

static dispatch_source_t create_timer(uint64_t interval, uint64_t leeway, dispatch_block_t block)
{
    dispatch_source_t timer = dispatch_source_create(DISPATCH_SOURCE_TYPE_TIMER, 0, 0, state_queue);
    dispatch_source_set_timer(timer, dispatch_walltime(NULL, 0), interval, leeway);
    dispatch_source_set_event_handler(timer, block);
    dispatch_resume(timer);
    return timer;
}

static void watch_pipe(void)
{
    if (pipe(pipe_ends) != 0) {
        exit(EXIT_FAILURE);
    }
    fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK);
    pipe_source = dispatch_source_create(
        DISPATCH_SOURCE_TYPE_READ, (uintptr_t)pipe_ends[0], 0, state_queue);
    dispatch_source_set_event_handler(pipe_source, ^{
        size_t estimated = dispatch_source_get_data(pipe_source) + 1;
        char *buffer = malloc(estimated);
        if (buffer) {
            ssize_t actual = read(pipe_ends[0], buffer, estimated);
            if (actual > 0) {
                bytes_read += actual;
            }
            free(buffer);
        }
    });
    dispatch_source_set_cancel_handler(pipe_source, ^{ close(pipe_ends[0]); });
    dispatch_resume(pipe_source);
}

static void watch_worker(int exit_status)
{
    pid_t worker = fork();
    if (worker == 0) {
        _exit(exit_status);
    }
    worker_source = dispatch_source_create(
        DISPATCH_SOURCE_TYPE_PROC, (uintptr_t)worker, DISPATCH_PROC_EXIT, state_queue);
    dispatch_source_set_event_handler(worker_source, ^{
        int status;
        if (waitpid(worker, &status, 0) == worker) {
            worker_status = WEXITSTATUS(status);
        }
        dispatch_source_cancel(worker_source);
    });
    dispatch_resume(worker_source);
}

static void count_work(void)
{
    work_source = dispatch_source_create(DISPATCH_SOURCE_TYPE_DATA_ADD, 0, 0, state_queue);
    dispatch_source_set_event_handler(
        work_source, ^{ work_done += dispatch_source_get_data(work_source); });
    dispatch_resume(work_source);
}

static void handle_message(xpc_connection_t peer, xpc_object_t message)
{
    if (xpc_dictionary_get_bool(message, "work")) {
        dispatch_apply(1000, dispatch_get_global_queue(QOS_CLASS_UTILITY, 0),
            ^(size_t i) { dispatch_source_merge_data(work_source, i % 2 + 1); });
    }
    size_t length;
    const void *data = xpc_dictionary_get_data(message, "data", &length);
    if (data && write(pipe_ends[1], data, length) < 0) {
        os_log_error(OS_LOG_DEFAULT, "write: %m");
    }
    xpc_object_t reply = xpc_dictionary_create_reply(message);
    if (reply == NULL) {
        return;
    }
    dispatch_sync(state_queue, ^{
        xpc_dictionary_set_int64(reply, "reloads", reloads);
        xpc_dictionary_set_int64(reply, "bytes", bytes_read);
        xpc_dictionary_set_int64(reply, "worker", worker_status);
        xpc_dictionary_set_uint64(reply, "work", work_done);
        xpc_dictionary_set_bool(reply, "ticking", ticks > 0);
        xpc_dictionary_set_int64(reply, "pid", getpid());
    });
    xpc_connection_send_message(peer, reply);
    xpc_release(reply);
}

int main(int argc __unused, const char *argv[] __unused)
{
    state_queue = dispatch_queue_create("com.example.sources.state", DISPATCH_QUEUE_SERIAL);
    hangup_source = install_signal_handler(
        SIGHUP, ^{ reloads += (int64_t)dispatch_source_get_data(hangup_source); });
    terminate_source = install_signal_handler(SIGTERM, ^{
        os_log(OS_LOG_DEFAULT, "ending after %lld reloads", (long long)reloads);
        exit(42);
    });
    timer_source = create_timer(
        10 * NSEC_PER_MSEC, NSEC_PER_MSEC, ^{ ticks += dispatch_source_get_data(timer_source); });
    watch_pipe();
    watch_worker(7);
    count_work();

    xpc_connection_t listener = xpc_connection_create_mach_service(
        "com.example.sources", NULL, XPC_CONNECTION_MACH_SERVICE_LISTENER);
    xpc_connection_set_event_handler(listener, ^(xpc_object_t peer) {
        if (xpc_get_type(peer) != XPC_TYPE_CONNECTION) {
            return;
        }
        xpc_connection_set_event_handler((xpc_connection_t)peer, ^(xpc_object_t message) {
            if (xpc_get_type(message) == XPC_TYPE_DICTIONARY) {
                handle_message((xpc_connection_t)peer, message);
            }
        });
        xpc_connection_resume((xpc_connection_t)peer);
    });
    xpc_connection_resume(listener);
    dispatch_main();
}
