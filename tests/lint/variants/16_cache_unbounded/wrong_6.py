def memoize(fn):
    store = {}

    def wrapper(*args):
        if args not in store:
            store[args] = fn(*args)
        return store[args]

    return wrapper


@memoize
def geocode(address):
    from geopy.geocoders import Nominatim

    return Nominatim(user_agent="app").geocode(address)
