"""What can be done to many customers of a list at once. Importing registers it."""

from clients.models import Customer
from clients.services import CUSTOMERS
from crm.backoffice.bulk import deleting

deleting.add(Customer, CUSTOMERS)
