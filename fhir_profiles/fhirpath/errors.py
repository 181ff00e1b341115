"""What can go wrong with an expression: when it is read, and when it meets a resource. No text repeats a value of a resource."""


class FhirPathError(ValueError):
    """Reading or evaluating a FHIRPath expression ended early; the text is for the person who wrote the expression."""


class FhirPathSyntaxError(FhirPathError):
    """Not an expression of FHIRPath, or one that goes beyond what is offered or bounded."""


class FhirPathEvaluationError(FhirPathError):
    """The specification asks for an error here: several items where one is needed, or operands that do not go together."""


class TooCostlyError(FhirPathEvaluationError):
    """More steps than one evaluation may take."""
