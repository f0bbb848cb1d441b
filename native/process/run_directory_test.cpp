// Removing a run's directory: all of it, and nothing else.
#include "process/run_directory.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>

using namespace dragon::process;

namespace {

struct Base {
  Base() {
    char pattern[] = "/tmp/dragon-test-XXXXXX";
    path = mkdtemp(pattern);
  }
  ~Base() { ::rmdir(path.c_str()); }
  std::string make(const std::string& name) const {
    const std::string made = path + "/" + name;
    REQUIRE(::mkdir(made.c_str(), 0700) == 0);
    return made;
  }
  std::string path;
};

void write(const std::string& path) {
  std::ofstream(path) << "x";
}
bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

TEST_CASE("a run's directory goes with its files, sockets and folders [PRC-015]") {
  const Base base;
  const std::string run = base.make("r1-ab");
  write(run + "/owner.json");
  ::mkdir((run + "/sub").c_str(), 0700);
  write(run + "/sub/file");
  mkfifo((run + "/fifo").c_str(), 0600);
  CHECK(remove_run_directory(base.path, "r1-ab") == 0);
  CHECK_FALSE(exists(run));
  CHECK(remove_run_directory(base.path, "r1-ab") == 0);
}

TEST_CASE("links in a run's directory are removed, what they point to stays [PRC-015]") {
  const Base base;
  const std::string outside = base.make("outside");
  write(outside + "/keep");
  const std::string run = base.make("r2-ab");
  REQUIRE(symlink(outside.c_str(), (run + "/link").c_str()) == 0);
  CHECK(remove_run_directory(base.path, "r2-ab") == 0);
  CHECK_FALSE(exists(run));
  CHECK(exists(outside + "/keep"));
  REQUIRE(symlink(outside.c_str(), (base.path + "/r3-ab").c_str()) == 0);
  CHECK(remove_run_directory(base.path, "r3-ab") != 0);
  CHECK(exists(outside + "/keep"));
  ::unlink((base.path + "/r3-ab").c_str());
  ::unlink((outside + "/keep").c_str());
  ::rmdir(outside.c_str());
}

TEST_CASE("a name that is not a run's is refused [PRC-015]") {
  const Base base;
  for (const char* name : {"", "r", "..", "r/../x", "x1-ab", "r1_ab", "r1.json"}) {
    CHECK_FALSE(valid_run_name(name));
    CHECK(remove_run_directory(base.path, name) == EINVAL);
  }
  CHECK(valid_run_name("r123-a0b1"));
}

TEST_CASE("a base goes only when it is empty [PRC-015]") {
  const Base base;
  const std::string run = base.make("r4-ab");
  remove_empty_base(base.path);
  CHECK(exists(base.path));
  CHECK(remove_run_directory(base.path, "r4-ab") == 0);
  remove_empty_base(base.path);
  CHECK_FALSE(exists(base.path));
}
