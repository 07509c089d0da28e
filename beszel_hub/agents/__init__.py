"""The hub's end of the agent link: who may connect, the proof, and one session per agent."""
