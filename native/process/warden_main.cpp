// The executable `dragon-warden BASE NAME KEEP_BASE`: descriptor 3 is the socket to the
// launcher. Users never start it; it says so when they do.
#include <fcntl.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstring>

#include "process/run_directory.h"
#include "process/warden.h"

int main(int argc, char** argv) {
  constexpr int kSocket = 3;
  using namespace dragon::process;
  int type = 0;
  socklen_t length = sizeof type;
  const bool socket = getsockopt(kSocket, SOL_SOCKET, SO_TYPE, &type, &length) == 0;
  if (argc != 4 || !socket || argv[1][0] != '/' || !valid_run_name(argv[2])) {
    std::fputs("dragon-warden is started by dragon; run `dragon --help`\n", stderr);
    return 2;
  }
  ::fcntl(kSocket, F_SETFD, FD_CLOEXEC);
  WardenOptions options;
  options.base = argv[1];
  options.name = argv[2];
  options.keep_base = std::strcmp(argv[3], "keep") == 0;
  return Warden(UniqueFd(kSocket), std::move(options)).run();
}
