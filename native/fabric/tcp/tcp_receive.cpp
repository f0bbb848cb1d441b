// What comes in on an open connection.
//
// A packet that is not expected to be followed by bulk bytes is read together with whatever follows
// it, into memory that all connections share. Once a peer has a landing, its packets are read one
// header at a time, so that a bulk body goes from the kernel to where it belongs.
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>

#include "fabric/tcp/tcp_fabric.h"

namespace dragon::fabric {
namespace {

constexpr size_t kScratchBytes = 256u << 10;

}  // namespace

// Null if the bulk packet has no landing, or none any more.
uint8_t* TcpFabric::landing_of(const Connection& connection) {
  const PacketHeader& bulk = connection.bulk;
  const auto found = landings_.find(bulk.key);
  if (found == landings_.end() || found->second.peer != connection.peer) return nullptr;
  const Landing& landing = found->second;
  if (bulk.offset > landing.bytes || bulk.body_bytes > landing.bytes - bulk.offset) return nullptr;
  return landing.memory + bulk.offset;
}

void TcpFabric::stop_reading(Connection& connection, bool is_over) {
  reading_id_ = 0;
  if (is_over) close(connection.id);
}

// True if more bytes are here; else the connection's turn is over, or the connection.
bool TcpFabric::receive(Connection& connection) {
  const bool is_straight = connection.is_in_bulk || peers_[connection.peer].landings > 0;
  return is_straight ? receive_straight(connection) : receive_many(connection);
}

bool TcpFabric::receive_many(Connection& connection) {
  const size_t kept = connection.partial.size();
  if (kept > 0) ::memcpy(scratch_.get(), connection.partial.data(), kept);
  connection.partial.clear();
  const size_t room = kScratchBytes - kept;
  const ssize_t got = ::recv(connection.fd, scratch_.get() + kept, room, 0);
  is_in_scratch_ = true;
  scratch_begin_ = 0;
  scratch_end_ = kept + (got > 0 ? static_cast<size_t>(got) : 0);
  if (got > 0) {
    // A part of what was asked for is all that there was: no need to ask again.
    const bool is_all = static_cast<size_t>(got) < room;
    reading_budget_ = is_all ? 0 : reading_budget_ - std::min<uint64_t>(reading_budget_, got);
    return true;
  }
  connection.partial.assign(scratch_.get(), scratch_.get() + kept);
  is_in_scratch_ = false;
  stop_reading(connection, got == 0 || (errno != EAGAIN && errno != EINTR));
  return false;
}

bool TcpFabric::receive_straight(Connection& connection) {
  std::vector<uint8_t>& partial = connection.partial;
  const size_t kept = partial.size();
  iovec parts[2];
  size_t count = 0;
  size_t body = 0;  // of what is asked for, the bulk body
  if (connection.is_in_bulk) {
    body = connection.bulk.body_bytes - connection.bulk_bytes;
    uint8_t* landing = landing_of(connection);
    if (landing != nullptr) {
      parts[count++] = {landing + connection.bulk_bytes, body};
    } else {
      connection.bulk_landed = false;
      body = std::min(body, kScratchBytes);
      parts[count++] = {scratch_.get(), body};
    }
  }
  // A header, or the rest of the packet that it begins.
  size_t rest = kPacketHeaderBytes - std::min(kept, kPacketHeaderBytes);
  PacketHeader header;
  if (rest == 0 && decode_packet_header(partial.data(), header)) {
    rest = kPacketHeaderBytes + header.body_bytes - kept;
  }
  const bool is_whole_body =
      connection.is_in_bulk && connection.bulk_bytes + body < connection.bulk.body_bytes;
  if (is_whole_body) rest = 0;  // the header is behind bytes that are thrown away
  partial.resize(kept + rest);
  if (rest > 0) parts[count++] = {partial.data() + kept, rest};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = count;
  const ssize_t got = ::recvmsg(connection.fd, &message, 0);
  const size_t taken = got > 0 ? static_cast<size_t>(got) : 0;
  partial.resize(kept + (taken > body ? taken - body : 0));
  if (got <= 0) {
    stop_reading(connection, got == 0 || (errno != EAGAIN && errno != EINTR));
    return false;
  }
  connection.bulk_bytes += static_cast<uint32_t>(std::min(taken, body));
  const bool is_all = taken < body + rest;
  reading_budget_ = is_all ? 0 : reading_budget_ - std::min<uint64_t>(reading_budget_, taken);
  return true;
}

// The next packet of the connection that is being read; false when its turn is over.
bool TcpFabric::parse(FabricEvent& out) {
  Connection* connection = find(reading_id_);
  std::vector<uint8_t>& partial = connection->partial;
  partial.erase(partial.begin(), partial.begin() + static_cast<ptrdiff_t>(partial_used_));
  partial_used_ = 0;
  while (true) {
    if (connection->is_in_bulk && parse_bulk(*connection, out)) return true;
    const uint8_t* bytes = is_in_scratch_ ? scratch_.get() + scratch_begin_ : partial.data();
    const size_t length = is_in_scratch_ ? scratch_end_ - scratch_begin_ : partial.size();
    if (!connection->is_in_bulk && length >= kPacketHeaderBytes) {
      if (!decode_packet_header(bytes, out.header)) {
        stop_reading(*connection, true);
        return false;
      }
      const bool is_bulk = out.header.kind == PacketKind::kBulk;
      const size_t whole = kPacketHeaderBytes + (is_bulk ? 0 : out.header.body_bytes);
      if (length >= whole) {
        if (is_in_scratch_) {
          scratch_begin_ += whole;
        } else if (is_bulk) {
          partial.erase(partial.begin(), partial.begin() + kPacketHeaderBytes);
        } else {
          partial_used_ = whole;
        }
        if (is_bulk) {
          connection->is_in_bulk = true;
          connection->bulk = out.header;
          connection->bulk_bytes = 0;
          connection->bulk_landed = landing_of(*connection) != nullptr;
          continue;
        }
        ++counters_.packets_received;
        const PacketHeader header = out.header;
        out = FabricEvent{};
        out.header = header;
        out.peer = connection->peer;
        out.body = bytes + kPacketHeaderBytes;
        return true;
      }
    }
    if (is_in_scratch_) {
      partial.assign(bytes, bytes + length);
      is_in_scratch_ = false;
    }
    if (reading_budget_ == 0) {
      stop_reading(*connection, false);
      return false;
    }
    if (!receive(*connection)) return false;
  }
}

// Puts the bytes that came together with the header where they belong; true if the body is whole.
bool TcpFabric::parse_bulk(Connection& connection, FabricEvent& out) {
  if (is_in_scratch_) {
    const size_t wanted = connection.bulk.body_bytes - connection.bulk_bytes;
    const size_t here = std::min(wanted, scratch_end_ - scratch_begin_);
    uint8_t* landing = landing_of(connection);
    if (landing != nullptr) {
      ::memcpy(landing + connection.bulk_bytes, scratch_.get() + scratch_begin_, here);
      counters_.bytes_staged += here;
    } else {
      connection.bulk_landed = false;
    }
    scratch_begin_ += here;
    connection.bulk_bytes += static_cast<uint32_t>(here);
  }
  if (connection.bulk_bytes < connection.bulk.body_bytes) return false;
  connection.is_in_bulk = false;
  ++counters_.packets_received;
  out = FabricEvent{};
  out.kind = FabricEvent::Kind::kBulk;
  out.header = connection.bulk;
  out.peer = connection.peer;
  out.landed = connection.bulk_landed;
  return true;
}

}  // namespace dragon::fabric
