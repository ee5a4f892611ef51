"""Campaigns from their first plan to their deletion: registered, begun, recorded, archived, cleaned up."""
