"""Money followed from account to account: paths, attribution, and the shapes it takes."""
