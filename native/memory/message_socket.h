// Broker messages on a socket, each with at most one descriptor.
#pragma once

#include "memory/broker_protocol.h"

namespace dragon {

// Sends without blocking, `fd` with it unless negative.
bool send_message(int socket, const BrokerMessage& message, int fd);

// kNoDescriptor: what came with the message was cut off, since this process has no number left.
enum class MessageResult { kMessage, kNothing, kEnd, kGarbage, kNoDescriptor };

// Receives one message; the descriptor that came along is the caller's, -1 if none.
MessageResult receive_message(int socket, BrokerMessage& message, int& fd_out);

// The uid and pid at the other end.
bool peer_of(int socket, unsigned& uid_out, int& pid_out);

// `<dir>/broker.sock`; false if it is too long for a socket's address.
bool broker_path(const char* dir, char (&out)[108]);

}  // namespace dragon
