"""The pages of the store server: the floor for associates, the desk for managers. One room per audience."""
