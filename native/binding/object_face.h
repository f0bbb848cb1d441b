// The face that all event objects share: creation, attachment, waits, handles, the end.
#pragma once

#include <napi.h>

#include <memory>
#include <utility>
#include <vector>

#include "binding/managed_face.h"
#include "binding/node_face.h"
#include "binding/pool_face.h"

namespace dragon::binding {

// A status in a result that otherwise is a number from 0 on: its negative.
inline Napi::Value number_or_status(Napi::Env env, Status status, double number) {
  return Napi::Number::New(env, status == DRAGON_SUCCESS ? number : -static_cast<double>(status));
}

// `Face` has `Napi::Value arm_at(Napi::Env, double lane)`.
template <typename Face, typename Object>
class ObjectFace : public Napi::ObjectWrap<Face> {
 public:
  explicit ObjectFace(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Face>(info) {}

  // Makes the face of an object; `node` outlives it, since the TypeScript object holds both.
  static Napi::Value make(NodeFace* node, std::unique_ptr<Object> object, RecordId adopted,
                          const Napi::FunctionReference& constructor) {
    Napi::Object value = constructor.New({});
    Face* face = Napi::ObjectWrap<Face>::Unwrap(value);
    face->node_ = node;
    face->object_ = std::move(object);
    face->adopted_ = adopted;
    return value;
  }

  // (node, handle, adopt)
  static Napi::Value attach(const Napi::CallbackInfo& info,
                            const Napi::FunctionReference& constructor) {
    NodeFace* node = NodeFace::of(info[0]);
    if (node == nullptr || node->node() == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
    Bytes handle;
    if (!bytes_of(info[1], handle)) return status_value(info.Env(), DRAGON_BAD_HANDLE);
    std::unique_ptr<Object> object;
    RecordId adopted = 0;
    const Status status = Object::attach(node->node(), handle.data, handle.length,
                                         info[2].ToBoolean(), adopted, object);
    if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
    return make(node, std::move(object), adopted, constructor);
  }

 protected:
  using Method = Napi::Value (Face::*)(const Napi::CallbackInfo&);
  using Property = Napi::ClassPropertyDescriptor<Face>;

  // The methods that all have, and then those of the face.
  static std::vector<Property> with_common(std::vector<Property> own) {
    const auto add = [&](const char* name, Method method) {
      own.push_back(Napi::ObjectWrap<Face>::InstanceMethod(name, method));
    };
    add("arm", static_cast<Method>(&ObjectFace::arm));
    add("serialize", static_cast<Method>(&ObjectFace::serialize));
    add("destroy", static_cast<Method>(&ObjectFace::destroy));
    add("lend", static_cast<Method>(&ObjectFace::lend));
    add("cancelLent", static_cast<Method>(&ObjectFace::cancel_lent));
    add("entrust", static_cast<Method>(&ObjectFace::entrust));
    add("close", static_cast<Method>(&ObjectFace::close));
    return own;
  }

  // Called before a close; false if JavaScript still uses the object's memory, and keeps it.
  bool let_go(Napi::Env) { return true; }
  bool closed() const { return object_ == nullptr || object_->closed(); }
  Object& object() const { return *object_; }
  NodeFace* node() const { return node_; }
  const std::shared_ptr<Object>& shared() const { return object_; }

 private:
  Napi::Value arm(const Napi::CallbackInfo& info) {
    if (closed()) return number_or_status(info.Env(), DRAGON_CLOSED, 0);
    return static_cast<Face*>(this)->arm_at(info.Env(), number_of(info[0], 0));
  }
  Napi::Value serialize(const Napi::CallbackInfo& info) {
    return serialize_object(info.Env(), object_.get());
  }
  Napi::Value destroy(const Napi::CallbackInfo& info) {
    return destroy_object(info.Env(), closed() ? nullptr : object_.get());
  }
  Napi::Value lend(const Napi::CallbackInfo& info) {
    return lend_object_face(info, closed() ? nullptr : object_.get());
  }
  Napi::Value cancel_lent(const Napi::CallbackInfo& info) {
    cancel_lent_face(info, closed() ? nullptr : object_.get());
    return info.Env().Undefined();
  }
  Napi::Value entrust(const Napi::CallbackInfo& info) {
    Bytes bytes;
    if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
    if (!bytes_of(info[0], bytes)) return status_value(info.Env(), DRAGON_BAD_HANDLE);
    return status_value(info.Env(), object_->entrust_lent(bytes.data, bytes.length));
  }
  Napi::Value close(const Napi::CallbackInfo& info) {
    if (!closed() && static_cast<Face*>(this)->let_go(info.Env())) {
      if (adopted_ != 0) object_->close_handle(adopted_);
      object_->close();
    }
    object_ = nullptr;
    return info.Env().Undefined();
  }

  NodeFace* node_ = nullptr;
  std::shared_ptr<Object> object_;
  RecordId adopted_ = 0;
};

}  // namespace dragon::binding
