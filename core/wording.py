"""Words in the form that goes with their number."""

from __future__ import annotations


def count(number: float, noun: str, several: str = "", form: str = ",") -> str:
    """A number with its noun in the right form, which for several is the one given or has an s.

    Parameters
    ----------
    number
        How many.
    noun
        What is counted, as it is said of one.
    several
        What is counted, as it is said of several; with an s unless given.
    form
        How the number is written, as a format specification.

    Examples
    --------
    >>> count(1, "box", "boxes"), count(1200, "box", "boxes"), count(0, "landslide")
    ('1 box', '1,200 boxes', '0 landslides')
    >>> count(1.0004, "day", form=".3g"), count(1.5, "day", form=".3g")
    ('1 day', '1.5 days')
    """
    told = f"{number:{form}}"
    return f"{told} {noun if told == '1' else several or f'{noun}s'}"


def agree(number: float, one: str, several: str) -> str:
    """Whichever word goes with a number: the one said of one, or the one said of none or several.

    Examples
    --------
    >>> [f"{count(number, 'row')} without a date {agree(number, 'was', 'were')} left out." for number in (1, 3)]
    ['1 row without a date was left out.', '3 rows without a date were left out.']
    """
    return one if number == 1 else several
