"""What a call of the store says on this kiosk's display. Pure."""

from broker.messages import CALL_TEXTS, OPEN_CALL_STATES, Call, CallState
from kiosk.display import State

_PLAIN = {
    CallState.RAISED: (State.SENT, "sent"),
    CallState.ACKNOWLEDGED: (State.ON_THE_WAY, "coming"),
    CallState.ATTENDED: (State.HERE, "here"),
    CallState.RESOLVED: (State.RESOLVED, "resolved"),
    CallState.CANCELLED: (State.CANCELLED, "cancelled"),
    CallState.MISSED: (State.MISSED, "missed"),
}
_NAMELESS = {
    "seen": "seen.someone",
    "coming": "coming.someone",
    "coming.still": "coming.someone.still",
    "here": "here.someone",
}


def shown(call: Call, seen: bool) -> tuple[State, str]:
    """The display's state and text for a call. A name is said only if the call carries one."""
    state, text = _PLAIN[call.state]
    if call.state in OPEN_CALL_STATES:
        text = call.text if call.text in CALL_TEXTS else text
        if seen and state is State.SENT:
            state = State.SEEN
        text = _NAMELESS.get(text, text) if call.name is None else text
    return state, text
