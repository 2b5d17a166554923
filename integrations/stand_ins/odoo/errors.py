"""How an Odoo refuses: the names of its exceptions, which its answers carry."""

from __future__ import annotations

from typing import Any

HTTP_STATUS = {
    "odoo.exceptions.AccessDenied": 403,
    "odoo.exceptions.AccessError": 403,
    "odoo.exceptions.MissingError": 404,
    "odoo.exceptions.UserError": 422,
    "odoo.exceptions.ValidationError": 422,
    "werkzeug.exceptions.BadRequest": 400,
    "werkzeug.exceptions.NotFound": 404,
    "werkzeug.exceptions.Unauthorized": 401,
    "werkzeug.exceptions.UnprocessableEntity": 422,
}


class OdooError(Exception):
    """An exception of Odoo's, under its own name; every other name is a fault of the server."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status JSON-2 gives it."""
        return HTTP_STATUS.get(self.name, 500)

    def told(self, version: int) -> dict[str, Any]:
        """What the answer says of it; 18 puts the trace before the message."""
        by_web = self.name.startswith("werkzeug.")
        arguments = [self.message, self.status] if by_web else [self.message]
        said: dict[str, Any] = {"message": self.message, "arguments": arguments, "context": {}}
        trace = {"debug": "[traceback removed]"}
        return {"name": self.name} | (trace | said if version < 19 else said | trace)


class NoModel(OdooError):
    def __init__(self, model: str) -> None:
        message = f"the model '{model}' does not exist"
        super().__init__("werkzeug.exceptions.NotFound", message)
        self.by_rpc = OdooError("odoo.exceptions.UserError", f"Object {model} doesn't exist")


class NoMethod(OdooError):
    def __init__(self, model: str, method: str) -> None:
        message = f"The method '{model}.{method}' does not exist"
        super().__init__("werkzeug.exceptions.NotFound", message)
        self.by_rpc = OdooError("builtins.AttributeError", message)


class WrongArguments(OdooError):
    def __init__(self, message: str, by_rpc: str | None = None) -> None:
        super().__init__("werkzeug.exceptions.UnprocessableEntity", message)
        self.by_rpc = OdooError("builtins.TypeError", by_rpc or message)


def access_error(message: str) -> OdooError:
    return OdooError("odoo.exceptions.AccessError", message)


def missing(model: str, record_id: int, user_id: int) -> OdooError:
    return OdooError(
        "odoo.exceptions.MissingError",
        "Record does not exist or has been deleted.\n"
        f"(Record: {model}({record_id},), User: {user_id})",
    )


def user_error(message: str) -> OdooError:
    return OdooError("odoo.exceptions.UserError", message)


def value_error(message: str) -> OdooError:
    return OdooError("builtins.ValueError", message)


def no_field(model: str, name: str, version: int) -> OdooError:
    """A name in a list of fields that the model doesn't have."""
    of_model = f"on model '{model}'" if version < 19 else f"on '{model}'"
    return value_error(f"Invalid field '{name}' {of_model}")


def required(model: str, label: str, field: str, title: str, version: int) -> OdooError:
    """A record without a value it can't do without."""
    if version < 19:
        message = (
            "The operation cannot be completed:\n"
            "- Create/update: a mandatory field is not set.\n"
            "- Delete: another model requires the record being deleted. "
            "If possible, archive it instead.\n\n"
            f"Model: {label} ({model})\nField: {title} ({field})\n"
        )
    else:
        message = (
            "The operation cannot be completed: "
            f"Missing required value for the field '{title}' ({field}).\n"
            f"Model: '{label}' ({model})\n"
            "- create/update: a mandatory field is not set\n"
            "- delete: another model requires the record being deleted, "
            "you can archive it instead\n"
        )
    return OdooError("odoo.exceptions.ValidationError", message)
