"""Well levels: choose a table, fit lines, look at the trends."""

from tests.toy import shown
from tests.toy.declared_page import PAGE

shown.show(PAGE)
