/*
 * The CNI plugins `calico` and `calico-ipam`, told apart by the name they are called by. A runtime starts one
 * or two of them for each container, so they only pass on what they were given to the agent, calico-node,
 * and print its answer. The wire is described in src/cni/protocol.ts, the Node form is src/cni/launcher.ts:
 * change all of them together.
 *
 * By hand: `-v` prints the version of the product.
 *
 * Without an agent: VERSION is answered here, a DEL is kept on disk for the agent's next start, and anything
 * else fails so that the runtime tries again.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef CALICO_VERSION
#define CALICO_VERSION "unknown"
#endif

enum { ANSWER_LIMIT_SECONDS = 60, MAX_INPUT = 8 * 1024 * 1024, MAX_ID = 200, MAX_INTERFACE = 15 };

/* Error codes of the CNI specification. */
enum { BAD_ENVIRONMENT = 4, INPUT_OUTPUT = 5, TRY_AGAIN_LATER = 11, LIMITED = 51 };

static const char *VERSIONS = "\"0.1.0\",\"0.2.0\",\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"";
static const char *NEWEST = "1.1.0";

struct buffer {
  char *bytes;
  size_t length;
};

static const char *env_or(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value != NULL ? value : otherwise;
}

/* Reads to the end of `fd`; 0, or -1 on failure, a timeout, or too much input. */
static int read_all(int fd, struct buffer *into) {
  size_t room = 0;
  for (;;) {
    if (into->length == room) {
      room = room == 0 ? 64 * 1024 : room * 2;
      if (room > MAX_INPUT) return -1;
      char *grown = realloc(into->bytes, room + 1);
      if (grown == NULL) return -1;
      into->bytes = grown;
    }
    ssize_t got = read(fd, into->bytes + into->length, room - into->length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    into->length += (size_t)got;
  }
  into->bytes[into->length] = '\0';
  return 0;
}

static int write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t put = write(fd, bytes, length);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return -1;
    bytes += put;
    length -= (size_t)put;
  }
  return 0;
}

/* The "cniVersion" of a configuration, without parsing the rest of it; else the newest. */
static void version_of(const char *json, char version[24]) {
  const char *at = strstr(json, "\"cniVersion\"");
  strcpy(version, NEWEST);
  if (at == NULL) return;
  at += strlen("\"cniVersion\"");
  while (isspace((unsigned char)*at)) at++;
  if (*at++ != ':') return;
  while (isspace((unsigned char)*at)) at++;
  if (*at++ != '"') return;
  size_t length = strspn(at, "0123456789.");
  if (length == 0 || length > 20 || at[length] != '"') return;
  memcpy(version, at, length);
  version[length] = '\0';
}

static int fail(const char *config, int code, const char *message) {
  char version[24];
  version_of(config, version);
  printf("{\n    \"cniVersion\": \"%s\",\n    \"code\": %d,\n    \"msg\": \"%s\"\n}\n", version, code, message);
  return 1;
}

/* Where the agent listens; -1 when the path is longer than a socket's may be. */
static int socket_path(char *path, size_t room) {
  int length = snprintf(path, room, "%s/cni.sock", env_or("CALICO_RUN_DIR", "/run/calico"));
  return length < 0 || (size_t)length >= room ? -1 : 0;
}

/* The failure of a command that needs the agent. */
static int fail_without_agent(const char *config, int code, const char *more) {
  char path[sizeof((struct sockaddr_un *)0)->sun_path] = "", message[512];
  socket_path(path, sizeof path);
  /* It becomes part of a JSON text. */
  for (char *at = path; *at != '\0'; at++)
    if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\') *at = '?';
  snprintf(message, sizeof message, "calico-node does not answer at %s%s", path, more);
  return fail(config, code, message);
}

static int append_field(FILE *out, const char *name, const char *bytes, size_t length) {
  return fprintf(out, "%s %zu\n", name, length) < 0 || fwrite(bytes, 1, length, out) != length ||
         fputc('\n', out) == EOF;
}

/* The request as it is sent, and as it is queued. */
static int encode(const char *program, const struct buffer *config, struct buffer *into) {
  static const char *const variables[] = {"CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME",
                                          "CNI_ARGS",    "CNI_PATH"};
  FILE *out = open_memstream(&into->bytes, &into->length);
  if (out == NULL) return -1;
  int failed = append_field(out, "PROGRAM", program, strlen(program));
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
    const char *value = env_or(variables[i], "");
    failed |= append_field(out, variables[i], value, strlen(value));
  }
  failed |= append_field(out, "STDIN", config->bytes, config->length);
  return fclose(out) != 0 || failed ? -1 : 0;
}

/* A connection to the agent, or -1. */
static int connect_agent(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (socket_path(address.sun_path, sizeof address.sun_path) != 0) return -1;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  struct timeval limit = {.tv_sec = ANSWER_LIMIT_SECONDS};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? fd : -1;
}

/* Asks the agent and prints its answer; its exit code, or -1 when there is no complete answer. */
static int ask(const struct buffer *request) {
  struct buffer answer = {NULL, 0};
  int fd = connect_agent();
  if (fd < 0) return -1;
  if (write_all(fd, request->bytes, request->length) != 0 || shutdown(fd, SHUT_WR) != 0) return -1;
  if (read_all(fd, &answer) != 0) return -1;
  int exit_code, header = 0;
  size_t body;
  if (sscanf(answer.bytes, "%3d %zu%n", &exit_code, &body, &header) != 2) return -1;
  if (answer.bytes[header] != '\n' || answer.length - (size_t)header - 1 != body) return -1;
  return write_all(STDOUT_FILENO, answer.bytes + header + 1, body) == 0 ? exit_code : 1;
}

/* True for what may be part of a file name; the agent checks the rest when it reads the file. */
static int is_plain(const char *text, size_t most) {
  size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
  return length > 0 && length <= most && text[length] == '\0' && text[0] != '.';
}

/* Keeps a DEL on disk, safe against a power cut; the same DEL is kept once. */
static int queue_delete(const char *program, const struct buffer *request) {
  char folder[1024], draft[1400], path[1400];
  const char *state = env_or("CALICO_STATE_DIR", "/var/lib/calico");
  if (snprintf(folder, sizeof folder, "%s/cni-deletes", state) >= (int)sizeof folder) return -1;
  snprintf(path, sizeof path, "%s/%s.%s.%s", folder, program, getenv("CNI_CONTAINERID"), getenv("CNI_IFNAME"));
  snprintf(draft, sizeof draft, "%s/.%s.%d", folder, program, (int)getpid());
  if ((mkdir(state, 0700) != 0 && errno != EEXIST) || (mkdir(folder, 0700) != 0 && errno != EEXIST)) return -1;
  int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return -1;
  int failed = write_all(fd, request->bytes, request->length) != 0 || fsync(fd) != 0;
  if (close(fd) != 0 || failed || rename(draft, path) != 0) {
    unlink(draft);
    return -1;
  }
  int parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return parent >= 0 && fsync(parent) == 0 ? 0 : -1;
}

int main(int argc, char **argv) {
  if (argc < 1) return 1;
  const char *slash = strrchr(argv[0], '/');
  const char *program = strcmp(slash != NULL ? slash + 1 : argv[0], "calico-ipam") == 0 ? "calico-ipam" : "calico";
  /* An agent that goes away is an answer that does not come, not the end of this program. */
  signal(SIGPIPE, SIG_IGN);
  const char *command = env_or("CNI_COMMAND", "");
  if (argc == 2 && strcmp(argv[1], "-v") == 0) return puts(CALICO_VERSION) == EOF;
  if (*command == '\0' && isatty(STDIN_FILENO)) {
    fprintf(stderr, "%s is a CNI plugin: a container runtime starts it, with CNI_COMMAND set. -v shows its version.\n", program);
    return 1;
  }
  struct buffer config = {NULL, 0}, request = {NULL, 0};
  if (read_all(STDIN_FILENO, &config) != 0) return fail("", INPUT_OUTPUT, "standard input cannot be read");
  if (strcmp(command, "VERSION") == 0) {
    char version[24];
    version_of(config.bytes, version);
    printf("{\"cniVersion\":\"%s\",\"supportedVersions\":[%s]}\n", version, VERSIONS);
    return 0;
  }
  if (encode(program, &config, &request) != 0) return fail(config.bytes, TRY_AGAIN_LATER, "out of memory");
  int exit_code = ask(&request);
  if (exit_code >= 0) return exit_code;
  if (strcmp(command, "STATUS") == 0) return fail_without_agent(config.bytes, LIMITED, "");
  if (strcmp(command, "DEL") != 0)
    return fail_without_agent(config.bytes, TRY_AGAIN_LATER, ": is it running on this host?");
  if (!is_plain(env_or("CNI_CONTAINERID", ""), MAX_ID))
    return fail(config.bytes, BAD_ENVIRONMENT, "invalid environment: CNI_CONTAINERID");
  if (!is_plain(env_or("CNI_IFNAME", ""), MAX_INTERFACE))
    return fail(config.bytes, BAD_ENVIRONMENT, "invalid environment: CNI_IFNAME");
  if (queue_delete(program, &request) != 0)
    return fail_without_agent(config.bytes, TRY_AGAIN_LATER, ", and the DEL cannot be queued on disk");
  return 0;
}
