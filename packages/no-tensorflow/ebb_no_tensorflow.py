"""Stand-in for TensorFlow, so that Rasa imports and runs without it.

Rasa's modules import TensorFlow when they load, whatever the assistant is made of.
`install()` puts a finder at the end of `sys.meta_path`; a real TensorFlow, if there is
one, is found first and wins. The finder answers only imports made by `rasa` itself, so a
library that merely probes for TensorFlow still learns that it is not there.

Names of the stand-in may be read, subclassed and used in annotations and decorators at
module level. Anything that would compute raises `TensorFlowMissing`.
"""

import os
import sys

ROOTS = frozenset({"tensorflow", "tensorflow_addons", "tensorflow_hub", "tensorflow_text", "keras"})
FIX = (
    "TensorFlow is not installed: this project runs Rasa without it. "
    "Fix: remove the component that needs it (DIETClassifier, TEDPolicy, UnexpecTEDIntentPolicy, "
    "ResponseSelector, ConveRTFeaturizer or LanguageModelFeaturizer) from config.yml, or "
    "delete the TensorFlow lines under [tool.uv] override-dependencies in pyproject.toml and run "
    "`uv sync`."
)


class TensorFlowMissing(RuntimeError):
    """A configured component really needs TensorFlow."""


class Finder:
    """Meta-path finder that answers Rasa's imports of the packages in `ROOTS`."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] not in ROOTS or not _asked_by_rasa():
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, Loader, is_package=True)


class Loader:
    """Makes one stand-in module."""

    @staticmethod
    def create_module(spec):
        return _module_type()(spec.name)

    @staticmethod
    def exec_module(module):
        module.__path__ = []
        module.__version__ = "2.12.0"


def install():
    """Register the finder once, behind all others; and keep Rasa from reporting home.

    Rasa's telemetry and error reports would leave the host unless switched off in every shell.
    """
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    if Finder not in sys.meta_path:
        sys.meta_path.append(Finder)


def _asked_by_rasa():
    """Whether the import statement stands in a module of Rasa or of the stand-in."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if not name.startswith("importlib"):
            return name == "rasa" or name.startswith("rasa.") or name.partition(".")[0] in ROOTS
        frame = frame.f_back
    return False


def _module_type():
    global _MODULE
    if _MODULE is None:
        from types import ModuleType

        class StandIn(ModuleType):
            def __getattr__(self, name):
                if name.startswith("__"):
                    raise AttributeError(name)
                value = _name(f"{self.__name__}.{name}")
                setattr(self, name, value)
                return value

        _MODULE = StandIn
    return _MODULE


_MODULE = None


class _Meta(type):
    """Class of every stand-in name: readable, subclassable, not computable."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        value = _name(f"{cls.__module__}.{cls.__name__}.{name}")
        type.__setattr__(cls, name, value)
        return value

    def __call__(cls, *args, **kwargs):
        if not kwargs and len(args) == 1 and callable(args[0]):
            return args[0]  # used as a bare decorator
        caller = sys._getframe(1)
        ours = caller.f_globals.get("__name__", "").partition(".")[0] == "rasa"
        # Bodies of Rasa's modules and classes may build decorators, defaults and types.
        if ours and (caller.f_code.co_name == "<module>" or "__qualname__" in caller.f_locals):
            return _name(f"{cls.__name__}()")
        raise TensorFlowMissing(f"{cls.__name__} was used. {FIX}")

    def __getitem__(cls, item):
        return cls

    def __or__(cls, other):
        return cls

    __ror__ = __or__


def _name(dotted):
    module, _, name = dotted.rpartition(".")
    return _Meta(name or dotted, (), {"__module__": module or "tensorflow"})
