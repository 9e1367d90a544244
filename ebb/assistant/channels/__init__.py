"""The doors into a conversation. Every one of them goes through `door.Door`."""
