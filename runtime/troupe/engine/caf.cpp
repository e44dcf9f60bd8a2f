// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/caf.hpp>
#include <troupe/engine/caf_face.hpp>
#include <troupe/engine/control_call.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/type_name.hpp>

#include <caf/exit_reason.hpp>
#include <caf/local_actor.hpp>
#include <caf/make_actor.hpp>
#include <caf/sec.hpp>
#include <caf/system_messages.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace troupe::detail {

namespace {

struct encoder_table {
  std::mutex mutex; // leaf lock
  std::map<std::type_index, reply_encoder> encoders;
};

encoder_table& encoders() {
  static encoder_table table;
  return table;
}

reply_encoder encoder_for(std::type_index message) {
  auto& table = encoders();
  std::unique_lock guard{table.mutex};
  auto i = table.encoders.find(message);
  return i == table.encoders.end() ? reply_encoder{} : i->second;
}

/// Sends the reply to a CAF request back to CAF, when it comes.
class caf_reply final : public reply_observer {
public:
  caf_reply(caf::strong_actor_ptr self, caf::strong_actor_ptr asker, caf::message_id id, reply_encoder encode)
      : self_{std::move(self)}, asker_{std::move(asker)}, id_{id}, encode_{std::move(encode)} {}

  void settled(reply_slot& slot) noexcept override {
    caf::message answer;
    try {
      if (const auto* f = slot.failure())
        answer = caf::make_message(
            caf::make_error(f->code == errc::stopped ? caf::sec::request_receiver_down : caf::sec::runtime_error,
                            f->what.empty() ? std::string{to_string(f->code)} : f->what));
      else if (encode_)
        answer = encode_(slot);
      else
        answer =
            caf::make_message(caf::make_error(caf::sec::unexpected_response, "no allow_caf_requests for this message"));
    } catch (const std::exception& x) {
      answer = caf::make_message(caf::make_error(caf::sec::runtime_error, x.what()));
    }
    asker_->enqueue(self_, id_.response_id(), std::move(answer), nullptr);
    slot.release(); // the asker's count
    delete this;
  }

private:
  caf::strong_actor_ptr self_;
  caf::strong_actor_ptr asker_;
  caf::message_id id_;
  reply_encoder encode_;
};

using caf_element = caf::mailbox_element_ptr;

/// Handles what a plain CAF actor sent: finds the handler by the run-time type.
suspension* invoke_caf(cell& receiver, void* object, void* payload, envelope& e) {
  auto& element = **static_cast<caf_element*>(payload);
  auto& content = element.content();
  if (content.size() == 1) {
    for (const auto* h : receiver.type().handlers)
      if (content.matches(0, 0, h->message->info))
        return h->invoke(receiver, object, const_cast<void*>(content.get(0)), e);
  }
  throw usage_error{"no handler for CAF message " + content.stringify()};
}

reply_slot* no_slot() { return nullptr; }

constexpr handler caf_handler{&message_type_of<caf_element>, &invoke_caf, &no_slot};

} // namespace

/// The plain CAF actor that stands for a cell: an address, monitors and links; its mailbox is the cell's.
///
/// The cell holds a count on it from the first crossing until it has stopped, so that it does not look unreachable to
/// CAF; it holds a count on the cell for good. Threads: any.
class caf_face final : public caf::local_actor, public caf::dynamically_typed_actor_base {
public:
  using signatures = caf::none_t;
  using behavior_type = caf::behavior;

  caf_face(caf::actor_config& cfg, cell& c) : local_actor{cfg}, cell_{c}, name_{c.name()} {}

  using caf::local_actor::enqueue;

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) override {
    auto& content = what->content();
    if (content.size() == 1 && content.match_element<caf::exit_msg>(0)) {
      if (content.get_as<caf::exit_msg>(0).reason)
        cell_->send_control(make_control([](cell& c) { c.order_stop(); }));
      return;
    }
    if (content.size() == 1 && content.match_element<caf::down_msg>(0)) {
      const auto& down = content.get_as<caf::down_msg>(0);
      const auto why = !down.reason                                     ? exit_reason::normal
                       : down.reason == caf::exit_reason::user_shutdown ? exit_reason::shutdown
                       : down.reason == caf::exit_reason::kill          ? exit_reason::killed
                                                                        : exit_reason::failure;
      cell_->send_control(make_control(
          [who = stopped{down.source.id(), to_string(down.source), why}](cell& c) { c.on_watched_stopped(who); }));
      return;
    }
    const bool request = what->mid.is_request() && what->sender != nullptr;
    auto sender = what->sender;
    const auto id = what->mid;
    const auto* h = handler_for(content);
    if (h == nullptr) {
      // A plain send to a plain CAF actor would end the *sender* here.
      cell_->refuse_foreign(content.stringify());
      if (request)
        sender->enqueue(nullptr, id.response_id(), caf::make_message(caf::make_error(caf::sec::unexpected_message)),
                        nullptr);
      return;
    }
    auto* e = make_envelope<caf_element>(caf_handler, std::move(what));
    if (request) {
      // From here on, so that the asker gets an error if the message ends without having been handled.
      auto* slot = h->make_reply_slot(); // two counts: the request's in `e`, the asker's with the observer
      slot->observe(
          *new caf_reply{caf::strong_actor_ptr{ctrl()}, std::move(sender), id, encoder_for(*h->message->info)},
          cell_->core());
      e->reply = slot;
    }
    cell_->enqueue(e);
  }

  void launch(caf::execution_unit*, bool, bool) override {}
  const char* name() const override { return name_.c_str(); }

  void end(exit_reason why) {
    caf::error reason;
    if (why == exit_reason::shutdown)
      reason = caf::make_error(caf::exit_reason::user_shutdown);
    else if (why == exit_reason::killed)
      reason = caf::make_error(caf::exit_reason::kill);
    else if (why == exit_reason::failure)
      reason = caf::make_error(caf::sec::runtime_error);
    // Not local_actor::cleanup: that blocks on CAF's clock to cancel time-outs that this actor never has.
    monitorable_actor::cleanup(std::move(reason), nullptr);
  }

private:
  const handler* handler_for(const caf::type_erased_tuple& content) const {
    if (content.size() != 1)
      return nullptr;
    for (const auto* h : cell_->type().handlers)
      if (content.matches(0, 0, h->message->info))
        return h;
    return nullptr;
  }

  const cell_pointer cell_;
  const std::string name_;
};

namespace {

/// Held from reading a cell's pointer to its face until there is a count on the face. A cell that stops takes the pointer
/// back first and passes through here before it gives up its own count. A leaf.
constinit std::mutex faces;

/// The face that `c` has at present, or null.
caf::strong_actor_ptr known_face(const cell& c) {
  const std::scoped_lock lock{faces};
  void* known = c.caf_face.load(std::memory_order_acquire);
  if (known == nullptr || known == cell::no_face())
    return nullptr;
  return caf::strong_actor_ptr{static_cast<caf::actor_control_block*>(known)};
}

} // namespace

caf::strong_actor_ptr caf_face_of(cell& c) {
  if (auto known = known_face(c))
    return known;
  auto& sys = c.core().owner->caf();
  caf::actor_config cfg;
  auto face = caf::actor_cast<caf::strong_actor_ptr>(
      caf::make_actor<caf_face, caf::actor>(sys.next_actor_id(), sys.node(), &sys, cfg, c));
  intrusive_ptr_add_ref(face.get()); // the cell's, until caf_face_stopped
  void* none = nullptr;
  // acq_rel: publishes the face; whoever loses the race sees the winner's.
  if (c.caf_face.compare_exchange_strong(none, face.get(), std::memory_order_acq_rel))
    return face;
  caf_face_stopped(face.get(), exit_reason::normal); // another one was first, or the cell has stopped
  auto known = known_face(c);
  return known != nullptr ? known : face;
}

void caf_face_stopped(void* face, exit_reason why) noexcept {
  auto* block = static_cast<caf::actor_control_block*>(face);
  static_cast<caf_face*>(block->get())->end(why);
  { const std::scoped_lock pass{faces}; }
  intrusive_ptr_release(block);
}

void add_reply_encoder(std::type_index message, reply_encoder encode) {
  auto& table = encoders();
  std::unique_lock guard{table.mutex};
  table.encoders.insert_or_assign(message, std::move(encode));
}

void watch_caf(cell& watcher, const caf::strong_actor_ptr& who) {
  auto face = caf_face_of(watcher);
  static_cast<caf_face*>(face->get())->monitor(who->get(), caf::message_priority::normal);
}

} // namespace troupe::detail
