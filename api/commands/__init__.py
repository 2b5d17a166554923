"""The commands of `partner-cx`, by noun. Heavy modules are imported where a command needs them."""
