/* The C interface of dragon, all of it. Link with -ldragon. */
#ifndef DRAGON_DRAGON_H
#define DRAGON_DRAGON_H

#include "dragon/abi.h"
#include "dragon/barrier.h"
#include "dragon/broadcast.h"
#include "dragon/channel.h"
#include "dragon/channel_set.h"
#include "dragon/condition.h"
#include "dragon/delivery.h"
#include "dragon/event.h"
#include "dragon/handles.h"
#include "dragon/lock.h"
#include "dragon/node.h"
#include "dragon/pool.h"
#include "dragon/queue.h"
#include "dragon/rw_lock.h"
#include "dragon/semaphore.h"
#include "dragon/view.h"

#endif
