"""One folder per neighbour: files today; Odoo, Stripe and mail to come."""
