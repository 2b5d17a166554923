"""What people said: answers to surveys."""
