// Every message from and to the actor that has a process's links. Nothing of it leaves the process:
// what crosses a link is frames.
//
//   owner -> links     Listen                        links -> owner     Listening
//                      ConnectLink                                      LinkUp, or ConnectFailed
//                      CloseLink                                        LinkDown
//                      SetProgress                                      LinkCongested
//                      OpenReceiver, CloseAttempt                       ControlArrived
//                      ConfirmReceivers                                 ReceiversConfirmed
//                      StopLinks                                        ProgressArrived
//                                                                       LinkRelieved
//   anyone -> links    SendFrame                     links -> receiver  FrameArrived
//
// The frames that one actor sends on one link arrive in their order. What comes from a connection
// may be looked at before messages that were sent earlier: who lets others send waits until its
// receivers are confirmed. What is sent on a link that is down goes nowhere, and is
// counted: its sender learns of the end from the owner. A receiver that finds a frame wrong closes
// the link with the reason.
#pragma once

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <string>

#include "millrace/actors/links/channel_frame.h"
#include "millrace/actors/links/link_events.h"
#include "millrace/actors/links/receiver_table.h"
#include "millrace/actors/links/sockets.h"

namespace millrace::detail {

// --- from the owner ---

// Let others connect. Port 0 is any that is free.
struct Listen {
  LinkAddress address;
};
// Have a link with whoever is there. Answered with LinkUp again where there is one.
struct ConnectLink {
  LinkAddress address;
  ExpectedPeer expected;
};
struct CloseLink {
  LinkId link;
  Error error;
};
// What heartbeats carry from now on, to every peer.
struct SetProgress {
  std::string bytes;
};
// The inbox's frames of that attempt go to the actor. Before any sender starts.
struct OpenReceiver {
  JobAttempt attempt;
  Inbox inbox;
  caf::actor receiver;
};
// Answer once all of the attempt that were opened before this do get their frames.
struct ConfirmReceivers {
  JobAttempt attempt;
};
// All receivers of the attempt are gone: frames that still come are of no consequence.
struct CloseAttempt {
  JobAttempt attempt;
};
// Say goodbye to every peer, and be gone.
struct StopLinks {};

// --- from anyone ---

// Whole frames, as they go out.
struct SendFrame {
  LinkId link;
  std::string bytes;
  bool counted = false;  // added to the link's load
};

// --- to the owner, beside what link_events.h has ---

struct Listening {
  Result<LinkAddress> address;  // with the port that was bound
};
struct ControlArrived {
  LinkId link;
  Frame frame;
};
struct ReceiversConfirmed {
  JobAttempt attempt;
};
// A peer's heartbeat, if it carries anything.
struct ProgressArrived {
  LinkId link;
  Frame frame;
};

// --- to a receiver ---

// Of kind data or credit; or of kind split, to an inbox of splits.
struct FrameArrived {
  LinkId link;
  Frame frame;
};

// --- from the links to themselves ---

struct LookedUp {
  LinkId link;
  Result<SocketAddresses> addresses;
};
// See whether connections that are being made stand.
struct PollDials {};
struct LinkTick {};

}  // namespace millrace::detail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Listen)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ConnectLink)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::CloseLink)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::SetProgress)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::OpenReceiver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ConfirmReceivers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::CloseAttempt)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::StopLinks)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::SendFrame)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Listening)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ControlArrived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ReceiversConfirmed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ProgressArrived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::FrameArrived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::LookedUp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::PollDials)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::LinkTick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::LinkUp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::LinkDown)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ConnectFailed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::LinkCongested)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::LinkRelieved)
