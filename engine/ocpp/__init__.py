"""OCPP-J 1.6: frames, payloads and the WebSocket to the Central System."""
