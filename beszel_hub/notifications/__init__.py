"""Telling people: channels, the persistent outbox, and how a message leaves the hub.

DeliveryFailed          a message was not taken, with a reason that may be stored and shown
└── TargetRefused       the hub will not send there: a private address, or no target at all
"""
