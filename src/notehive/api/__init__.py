"""What a user's programs may ask of the platform: ``/notehive-api/``, behind the gate.

Each part is a module with a function ``routes``; ``app`` puts them together, and judges who asks.
"""
