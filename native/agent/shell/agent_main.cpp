// The executable `dragon-agent`: descriptor 3 is the socket to whoever started it. Users never
// start it; it says so when they do.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <csignal>
#include <cstdio>

#include "agent/shell/control.h"

int main(int argc, char**) {
  constexpr int kSocket = 3;
  int type = 0;
  socklen_t length = sizeof type;
  const bool socket = getsockopt(kSocket, SOL_SOCKET, SO_TYPE, &type, &length) == 0;
  if (argc != 1 || !socket) {
    std::fputs("dragon-agent is started by dragon; run `dragon --help`\n", stderr);
    return 2;
  }
  ::fcntl(kSocket, F_SETFD, FD_CLOEXEC);
  // A signal from the terminal is for the program; the agent ends with its socket.
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  // Whoever reads this process's memory has the key.
  ::prctl(PR_SET_DUMPABLE, 0);
  dragon::agent::Control control(kSocket);
  return control.run() ? 0 : 1;
}
