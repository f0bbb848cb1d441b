// `bells NAME [--rounds N] [--cpus A,B]`: one way of a ring that wakes another process's event
// loop, which is an epoll, for each thing that could be a doorbell:
//
// - `datagram`: a named unix socket, addressed with each ring;
// - `connected`: the same, connected once by each ringer;
// - `fifo`: a named pipe, opened once by each ringer;
// - `eventfd`: one that the ringer has fetched from its owner by pidfd_getfd;
// - `uring`: a futex that the owner's io_uring waits on, whose ring the loop polls.
//
// A ringer writes, the owner wakes, empties the bell and rings back.

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "measure.h"
#include "scratch_directory.h"

namespace dragon::bench {

namespace {

struct Shared {
  std::atomic<int> pid[2];
  std::atomic<int> descriptor[2];
  std::atomic<int> ready;
  alignas(64) std::atomic<std::uint32_t> rung[2];
};

int checked(long result, const char* what) {
  if (result < 0) fail_errno(what);
  return static_cast<int>(result);
}

// One process's own bell and its way to the other's. `open` comes first in both, then `reach`.
class Bell {
 public:
  Bell(std::string dir, Shared& shared) : dir_(std::move(dir)), shared_(shared) {}
  virtual ~Bell() = default;
  virtual int open() = 0;
  virtual void reach() = 0;
  virtual void ring() = 0;
  virtual void empty() = 0;

  void await() {
    epoll_event event{};
    while (::epoll_wait(epoll_, &event, 1, -1) != 1) {
      if (errno != EINTR) fail_errno("epoll_wait");
    }
    empty();
  }
  void start(int side) {
    side_ = side;
    own_ = open();
    epoll_ = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    epoll_event event{};
    event.events = EPOLLIN;
    checked(::epoll_ctl(epoll_, EPOLL_CTL_ADD, own_, &event), "epoll_ctl");
    shared_.pid[side].store(::getpid());
    shared_.descriptor[side].store(own_);
    shared_.ready.fetch_add(1);
    while (shared_.ready.load() < 2) ::usleep(100);
    reach();
  }

 protected:
  std::string name(int side) const { return dir_ + "/bell." + std::to_string(side); }
  int other() const { return 1 - side_; }

  std::string dir_;
  Shared& shared_;
  int side_ = 0;
  int own_ = -1;
  int epoll_ = -1;
};

class DatagramBell : public Bell {
 public:
  DatagramBell(std::string dir, Shared& shared, bool connected)
      : Bell(std::move(dir), shared), connected_(connected) {}
  int open() override {
    const int fd = checked(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), "socket");
    const sockaddr_un address = address_of(side_);
    checked(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    return fd;
  }
  void reach() override {
    target_ = address_of(other());
    out_ = own_;
    if (!connected_) return;
    out_ = checked(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), "socket");
    checked(::connect(out_, reinterpret_cast<sockaddr*>(&target_), sizeof target_), "connect");
  }
  void ring() override {
    const char byte = 1;
    const auto* to = connected_ ? nullptr : reinterpret_cast<sockaddr*>(&target_);
    checked(::sendto(out_, &byte, 1, 0, to, connected_ ? 0 : sizeof target_), "sendto");
  }
  void empty() override {
    char bytes[16];
    while (::recv(own_, bytes, sizeof bytes, MSG_DONTWAIT) >= 0) {
    }
  }

 private:
  sockaddr_un address_of(int side) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s", name(side).c_str());
    return address;
  }
  const bool connected_;
  sockaddr_un target_{};
  int out_ = -1;
};

class FifoBell : public Bell {
 public:
  using Bell::Bell;
  int open() override {
    checked(::mkfifo(name(side_).c_str(), 0600), "mkfifo");
    return checked(::open(name(side_).c_str(), O_RDWR | O_NONBLOCK), "open");
  }
  void reach() override {
    out_ = checked(::open(name(other()).c_str(), O_RDWR | O_NONBLOCK), "open");
  }
  void ring() override {
    const char byte = 1;
    checked(::write(out_, &byte, 1), "write");
  }
  void empty() override {
    char bytes[64];
    checked(::read(own_, bytes, sizeof bytes), "read");
  }

 private:
  int out_ = -1;
};

class EventBell : public Bell {
 public:
  using Bell::Bell;
  int open() override { return checked(::eventfd(0, EFD_NONBLOCK), "eventfd"); }
  void reach() override {
    const int pidfd =
        checked(syscall(SYS_pidfd_open, shared_.pid[other()].load(), 0), "pidfd_open");
    const int theirs = shared_.descriptor[other()].load();
    out_ = checked(syscall(SYS_pidfd_getfd, pidfd, theirs, 0), "pidfd_getfd");
  }
  void ring() override {
    const std::uint64_t one = 1;
    checked(::write(out_, &one, sizeof one), "write");
  }
  void empty() override {
    std::uint64_t rings = 0;
    checked(::read(own_, &rings, sizeof rings), "read");
  }

 private:
  int out_ = -1;
};

// A futex wait is asked for again after each ring, as a poll of one shot would be.
class UringBell : public Bell {
 public:
  using Bell::Bell;
  int open() override {
    io_uring_params params{};
    const int fd = checked(syscall(SYS_io_uring_setup, 4, &params), "io_uring_setup");
    const auto map = [fd](size_t bytes, long offset) {
      void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                        static_cast<off_t>(offset));
      if (at == MAP_FAILED) fail_errno("mmap");
      return static_cast<char*>(at);
    };
    char* sq = map(params.sq_off.array + params.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
    char* cq =
        map(params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe), IORING_OFF_CQ_RING);
    sqes_ = reinterpret_cast<io_uring_sqe*>(
        map(params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
    sq_tail_ = reinterpret_cast<std::atomic<unsigned>*>(sq + params.sq_off.tail);
    sq_mask_ = *reinterpret_cast<unsigned*>(sq + params.sq_off.ring_mask);
    sq_array_ = reinterpret_cast<unsigned*>(sq + params.sq_off.array);
    cq_head_ = reinterpret_cast<std::atomic<unsigned>*>(cq + params.cq_off.head);
    cq_tail_ = reinterpret_cast<std::atomic<unsigned>*>(cq + params.cq_off.tail);
    fd_ = fd;
    wait();
    return fd;
  }
  void reach() override {}
  void ring() override {
    shared_.rung[other()].fetch_add(1);
    // 1: FUTEX_BITSET_MATCH_ANY would do as well; the wait asks for all bits.
    syscall(SYS_futex, &shared_.rung[other()], FUTEX_WAKE, 1, nullptr, nullptr, 0);
  }
  void empty() override {
    do {
      cq_head_->store(cq_tail_->load());
      ++seen_;
      wait();
    } while (cq_head_->load() != cq_tail_->load());
  }

 private:
  void wait() {
    constexpr std::uint8_t kFutexWait = 51;  // IORING_OP_FUTEX_WAIT
    constexpr int kSize32 = 2;               // FUTEX2_SIZE_U32, shared
    const unsigned tail = sq_tail_->load();
    io_uring_sqe& entry = sqes_[tail & sq_mask_];
    std::memset(&entry, 0, sizeof entry);
    entry.opcode = kFutexWait;
    entry.fd = kSize32;
    entry.addr = reinterpret_cast<std::uint64_t>(&shared_.rung[side_]);
    entry.off = seen_;
    std::memcpy(reinterpret_cast<char*>(&entry) + 48, &kAllBits, sizeof kAllBits);  // addr3
    sq_array_[tail & sq_mask_] = tail & sq_mask_;
    sq_tail_->store(tail + 1);
    checked(syscall(SYS_io_uring_enter, fd_, 1, 0, 0, nullptr, 0), "io_uring_enter");
  }
  static constexpr std::uint64_t kAllBits = 0xffffffff;
  int fd_ = -1;
  std::uint32_t seen_ = 0;
  io_uring_sqe* sqes_ = nullptr;
  std::atomic<unsigned>* sq_tail_ = nullptr;
  unsigned sq_mask_ = 0;
  unsigned* sq_array_ = nullptr;
  std::atomic<unsigned>* cq_head_ = nullptr;
  std::atomic<unsigned>* cq_tail_ = nullptr;
};

std::unique_ptr<Bell> make_bell(std::string_view name, const std::string& dir, Shared& shared) {
  if (name == "datagram") return std::make_unique<DatagramBell>(dir, shared, false);
  if (name == "connected") return std::make_unique<DatagramBell>(dir, shared, true);
  if (name == "fifo") return std::make_unique<FifoBell>(dir, shared);
  if (name == "eventfd") return std::make_unique<EventBell>(dir, shared);
  if (name == "uring") return std::make_unique<UringBell>(dir, shared);
  return nullptr;
}

}  // namespace

}  // namespace dragon::bench

int main(int argc, char** argv) {
  using namespace dragon::bench;
  const ScratchDirectory dir;
  auto* shared = new (shared_memory(sizeof(Shared))) Shared{};
  const auto bell = make_bell(argc > 1 ? argv[1] : "", dir.path(), *shared);
  if (bell == nullptr) {
    std::fprintf(stderr, "usage: bells datagram|connected|fifo|eventfd|uring [--key value ...]\n");
    return 2;
  }
  bool started = false;
  const auto start = [&](int side) {
    if (!started) bell->start(side);
    started = true;
  };
  run_ping_pong(
      PingPong::from(Options(argc, argv, 2), 2000, 1),
      [&] {
        start(0);
        bell->ring();
        bell->await();
      },
      [&] {
        start(1);
        bell->await();
        bell->ring();
      });
  return 0;
}
